//! The results of the page: the recorded ones, those of runs, and the one that is shown.

use std::sync::Arc;

use super::{Active, KEPT_RUNS, Origin, Run, Session, Shown};
use crate::analysis::BatchValues;
use crate::app::form::Request;
use crate::app::partial;
use crate::result::{ModelInfo, ResultFile};

impl Session {
    /// Shows the recorded run, which has just arrived, unless something else is shown already.
    pub fn recorded_arrived(&mut self, result: ResultFile) {
        let shown = self.stamp(Origin::Recorded, result, None);
        self.recorded = Some(shown.clone());
        if self.shown.is_none() {
            self.show_complete(shown);
        }
    }

    /// The recorded run, once it has arrived.
    pub fn recorded(&self) -> Option<&Shown> {
        self.recorded.as_ref()
    }

    /// The recorded effects of heads have arrived.
    pub fn effects_arrived(&mut self, result: ResultFile) {
        self.effects = Some(self.stamp(Origin::Recorded, result, None));
    }

    /// The recorded effects of heads, once they have arrived.
    pub fn effects(&self) -> Option<&Shown> {
        self.effects.as_ref()
    }

    /// Shows the recorded run again, unless a run is in progress.
    pub fn show_recorded(&mut self) {
        if let (false, Some(recorded)) = (self.run.is_active(), self.recorded.clone()) {
            self.show_complete(recorded);
        }
    }

    /// Shows the result of the run `request` on this page. False where it has not been kept, or another run is in
    /// progress.
    pub fn show_run(&mut self, request: &Request) -> bool {
        let found = self.finished.iter().find(|(known, _)| known == request);
        match found.filter(|_| !self.run.is_active()) {
            Some((_, shown)) => {
                self.show_complete(shown.clone());
                true
            }
            None => false,
        }
    }

    /// Shows a result from the file `name`.
    pub fn opened(&mut self, name: &str, result: ResultFile) {
        self.error = None;
        let shown = self.stamp(Origin::File(name.into()), result, None);
        self.show_complete(shown);
    }

    /// Whether a complete result is hidden behind the batches of a stopped run.
    pub fn can_restore(&self) -> bool {
        !self.run.is_active() && self.complete.is_some() && self.shown.as_ref().is_some_and(Shown::is_partial)
    }

    /// Shows the last complete result again.
    pub fn restore(&mut self) {
        if self.can_restore() {
            self.shown = self.complete.clone();
        }
    }

    pub(super) fn stamp(&mut self, origin: Origin, result: ResultFile, note: Option<String>) -> Shown {
        self.revision += 1;
        Shown {
            revision: self.revision,
            origin,
            result: Arc::new(result),
            note,
            url: None,
        }
    }

    pub(super) fn show_complete(&mut self, shown: Shown) {
        self.forget_outcome();
        self.complete = Some(shown.clone());
        self.shown = Some(shown);
        self.compare_with_run();
    }

    pub(super) fn note_of(&self, url: &str) -> Option<String> {
        let known = self.description_of(url)?;
        known.card.as_ref().map(|card| card.note.clone())
    }

    pub(super) fn empty_result(&self, active: &Active) -> Option<ResultFile> {
        let known = self.description_of(&active.url)?;
        let last = active.url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = known.card.as_ref().map_or(last, |card| card.name.as_str()).to_string();
        let model = ModelInfo {
            name,
            source: active.url.clone(),
            dtype: None,
            notes: Vec::new(),
        };
        Some(partial::empty(model, known.config.clone(), &active.analysis))
    }

    pub(super) fn batch(&mut self, index: usize, values: &BatchValues) {
        let Some(mut active) = self.active.take() else { return };
        if active.so_far.is_none() {
            active.so_far = self.empty_result(&active);
        }
        if let Some(so_far) = active.so_far.as_mut().filter(|_| active.batches == index) {
            partial::append(so_far, values);
            active.batches += 1;
            active.filled += usize::from(values.changes.is_none());
        }
        self.active = Some(active);
    }

    /// Shows the batches that have arrived since the last call. Separate from [`Session::receive`], so that the page
    /// decides how often it redraws.
    pub fn show_batches(&mut self) {
        let Some(active) = &self.active else { return };
        let Some(so_far) = &active.so_far else { return };
        let done = active.batches;
        let batches = active.analysis.prompts.batches();
        // With an intervention, each batch goes through the model twice.
        let batches = batches * if active.analysis.intervention.is_some() { 2 } else { 1 };
        let origin = Origin::Partial { done, batches };
        if done > 0 && self.shown.as_ref().is_none_or(|shown| shown.origin != origin) {
            let (so_far, note) = (so_far.clone(), self.note_of(&active.url));
            let url = Some(active.url.clone());
            let shown = self.stamp(origin, so_far, note);
            self.shown = Some(Shown { url, ..shown });
        }
    }

    pub(super) fn finished(&mut self, result: ResultFile) {
        let active = self.active.take();
        let note = active.as_ref().and_then(|active| self.note_of(&active.url));
        self.ended();
        let mut shown = self.stamp(Origin::Live, result, note);
        if let Some(Active { url, analysis, .. }) = active {
            shown.url = Some(url.clone());
            let request = Request { url, analysis };
            self.finished.retain(|(known, _)| *known != request);
            self.finished.push((request, shown.clone()));
            if self.finished.len() > KEPT_RUNS {
                self.finished.remove(0);
            }
        }
        self.run = Run::Idle;
        self.show_complete(shown);
        self.run = Run::Finished;
    }
}
