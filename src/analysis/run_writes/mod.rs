//! What the head writes, over the prompts: its effect on the logit of the attended token, its direct effect on two
//! target tokens, and how often the token that it suppresses most is the attended one.
//!
//! Optional ([`Analysis::writes`]), because the passes must go through all blocks (for the scale of the final
//! LayerNorm), and W_U must be streamed, once after the last batch. `gathered` holds the captured data, `tally`
//! accumulates logits while W_U is streamed, `section` is the result.

mod gathered;
mod section;
mod tally;

use std::collections::BTreeMap;

use self::gathered::{Attended, Gathered};
pub use self::section::{Chances, RunWritesSection};
use self::tally::{PromptTokens, Tally};
use crate::analysis::analyzer::{Analyzer, FinishedBatch, Needs, UpcomingBatch};
use crate::analysis::{Analysis, BatchValues};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Tap};
use crate::math;
use crate::model::Config;
use crate::names::{BlockHook, Head, HookPoint};
use crate::prompts::{Prompt, Targets};

/// Number of prompts between two yields.
const AT_A_TIME: usize = 64;

/// The analysis of what the head writes.
pub(crate) struct RunWritesAnalyzer {
    head: Head,
    /// Whether it is requested.
    is_on: bool,
    /// By batch number, because batches may finish in any order.
    batches: BTreeMap<usize, Vec<Gathered>>,
    found: Option<RunWritesSection>,
}

impl Analyzer for RunWritesAnalyzer {
    type Section = RunWritesSection;

    fn new(analysis: &Analysis) -> Self {
        Self {
            head: analysis.head,
            is_on: analysis.writes,
            batches: BTreeMap::new(),
            found: None,
        }
    }

    fn layers(&self, config: &Config) -> usize {
        if self.is_on { config.n_layer } else { 0 }
    }

    /// No tokens besides the prompt's own; checks that the targets are two tokens.
    fn needs(&self, prompt: &Prompt) -> Result<Needs> {
        let Targets { a, b } = prompt.targets;
        if self.is_on && a.is_some() && a == b {
            let cause = format!("\"{}\" has the same token as both targets", prompt.text);
            return Err(Error::new(ErrorKind::Prompt, cause)
                .expected("two different tokens, or one, or none")
                .advice("Without targets the two likeliest next tokens are taken."));
        }
        Ok(Needs::default())
    }

    fn taps(&mut self, batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>> {
        if !self.is_on {
            return Ok(Vec::new());
        }
        let rows = |position: fn(&Prompt) -> Result<usize>| {
            let row = |(index, prompt): (usize, &Prompt)| Result::Ok(batch.tree.path(index)[position(prompt)?]);
            batch
                .prompts
                .iter()
                .enumerate()
                .map(row)
                .collect::<Result<Vec<usize>>>()
        };
        let (dests, sources) = (rows(Prompt::dest)?, rows(Prompt::src)?);
        let of_head = |hook, rows| Tap::new(HookPoint::block(self.head.layer, hook), rows).of_head(self.head.head);
        Ok(vec![
            of_head(BlockHook::V, sources),
            of_head(BlockHook::Z, dests.clone()),
            Tap::new(HookPoint::LnFinalScale, dests),
        ])
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        let [values, z, scales] = batch.captured else {
            return Ok(None);
        };
        let scores = batch.scores()?;
        let gathered = batch.prompts.iter().enumerate().map(|(number, prompt)| {
            let (dest, src) = (prompt.dest()?, prompt.src()?);
            let mut row = scores.row(number);
            math::softmax(&mut row);
            let tokens = &prompt.tokens[..=dest];
            Ok(Gathered {
                source: prompt.src_token()?,
                tokens: tokens.iter().copied().collect(),
                targets: prompt.targets,
                attention: row.get(src).copied().unwrap_or_default(),
                attended: Attended::of(tokens, &row),
                scale: scales.row(number).first().copied().unwrap_or(f32::NAN),
                value: values.row(number).to_vec(),
                z: z.row(number).to_vec(),
                resid: scores.resid_at(scores.tree.path(number)[dest]).to_vec(),
                last: batch.last_resid(number).to_vec(),
            })
        });
        let gathered = gathered.collect::<Result<Vec<Gathered>>>()?;
        self.batches.insert(batch.index, gathered);
        Ok(None)
    }

    async fn conclude(&mut self, model: &mut Model, monitor: &dyn Monitor) -> Result<()> {
        let prompts: Vec<Gathered> = std::mem::take(&mut self.batches).into_values().flatten().collect();
        if prompts.is_empty() {
            return Ok(());
        }
        let mut by_source = Vec::with_capacity(prompts.len() * model.config().d_model);
        let mut by_head = Vec::with_capacity(by_source.capacity());
        let mut asked = Vec::with_capacity(prompts.len());
        for (number, prompt) in prompts.iter().enumerate() {
            if number % AT_A_TIME == 0 {
                monitor.yield_now().await?;
            }
            let mut written = Vec::with_capacity(2);
            for z in [&prompt.value, &prompt.z] {
                let z: Vec<f64> = z.iter().copied().map(f64::from).collect();
                let of_z = model.written_by(self.head, &z, monitor).await?;
                let scale = f64::from(prompt.scale);
                written.push(of_z.into_iter().map(|v| (v / scale) as f32).collect::<Vec<f32>>());
            }
            let value = |token: u32| Result::Ok(math::dot_wide(&model.logit_direction(token)?, &written[0]) as f32);
            let others = prompt.tokens.iter().filter(|token| **token != prompt.source);
            let others = others.map(|&token| value(token)).collect::<Result<Vec<f32>>>()?;
            asked.push(PromptTokens {
                own: (prompt.source, value(prompt.source)?),
                others: (!others.is_empty()).then(|| math::mean(&others) as f32),
                targets: prompt.targets,
            });
            by_source.extend_from_slice(&written[0]);
            by_head.extend_from_slice(&written[1]);
        }
        let mut tally = Tally::new(&asked);
        let undecided = prompts.iter().filter(|prompt| !tally::is_decided(prompt.targets));
        let resid: Vec<f32> = prompts
            .iter()
            .map(|prompt| &prompt.resid)
            .chain(undecided.map(|prompt| &prompt.last))
            .flatten()
            .copied()
            .collect();
        let written = [by_source, by_head].concat();
        let mut take = |first: usize, logits: &[f32]| tally.take(first, logits);
        model.logits_streamed(&resid, &written, monitor, &mut take).await?;
        self.found = Some(section::found(self.head, &prompts, &asked, tally, model)?);
        Ok(())
    }

    fn finish(self) -> Option<RunWritesSection> {
        self.found
    }
}
