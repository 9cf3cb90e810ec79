//! The address keys of the views of a sentence's figures.

use super::view::{Effect, Measure, PatternPart, SentenceView};
use crate::error::{Error, Result};
use crate::figure::keys::{Query, switch, text, wrong};
use crate::figure::view::View;
use crate::names::{HistogramId, Side};

/// The key of [`SentenceView::measure`](super::SentenceView).
pub(super) const MEASURE: &str = "measure";
/// The key of [`SentenceView::effect`](super::SentenceView).
pub(super) const EFFECT: &str = "effect";
/// The key of [`SentenceView::side`](super::SentenceView).
pub(super) const SIDE: &str = "side";

/// The key of [`SentenceView::pattern`](super::SentenceView).
pub(super) const PATTERN: &str = "pattern";
/// The key of [`SentenceView::layer`](super::SentenceView).
pub(super) const LAYER: &str = "layer";
/// The key of [`SentenceView::causal`](super::SentenceView).
pub(super) const CAUSAL: &str = "causal";
/// The key of [`SentenceView::causal_side`](super::SentenceView).
pub(super) const CAUSAL_SIDE: &str = "causal_side";
/// The key of [`SentenceView::dots`](super::SentenceView).
pub(super) const DOTS: &str = "dots";
/// The key of what is unfolded on a side of the table: [`SentenceView::unfolded`](super::SentenceView::unfolded).
pub(super) const fn unfolded(side: Side) -> &'static str {
    match side {
        Side::Query => "rows",
        Side::Key => "columns",
    }
}

/// The side whose key `key` is.
pub(super) fn unfolded_side(key: &str) -> Option<Side> {
    Side::ALL.into_iter().find(|side| unfolded(*side) == key)
}

pub(super) fn take_unfolded(view: &mut View, side: Side, value: &str) -> Result<()> {
    let group = value
        .parse()
        .map_err(|error: Error| wrong(unfolded(side), value, error.expected))?;
    view.sentence.unfold(side, Some(group));
    Ok(())
}

pub(super) fn write_unfolded(view: &View, query: &mut Query) {
    for side in Side::ALL {
        query.given(unfolded(side), text(view.sentence.unfolded(side)));
    }
}

pub(super) fn take_measure(view: &mut View, value: &str) -> Result<()> {
    let found = Measure::ALL.into_iter().find(|measure| measure.value() == value);
    view.sentence.measure = found.ok_or_else(|| wrong(MEASURE, value, Measure::ALL.map(Measure::value).join(", ")))?;
    Ok(())
}

pub(super) fn take_side(view: &mut View, value: &str) -> Result<()> {
    view.sentence.side = value
        .parse()
        .map_err(|_| wrong(SIDE, value, Side::ALL.map(Side::as_str).join(" or ")))?;
    Ok(())
}

pub(super) fn write_measure(view: &View, query: &mut Query) {
    let measure = view.sentence.measure;
    query.given(
        MEASURE,
        (measure != Measure::default()).then(|| measure.value().to_owned()),
    );
}

pub(super) fn write_side(view: &View, query: &mut Query) {
    let side = view.sentence.side;
    query.given(SIDE, (side != Side::Key).then(|| side.to_string()));
}

pub(super) fn take_effect(view: &mut View, value: &str) -> Result<()> {
    let found = Effect::ALL.into_iter().find(|effect| effect.value() == value);
    view.sentence.effect = found.ok_or_else(|| wrong(EFFECT, value, Effect::ALL.map(Effect::value).join(", ")))?;
    Ok(())
}

pub(super) fn write_effect(view: &View, query: &mut Query) {
    let effect = view.sentence.effect;
    query.given(EFFECT, (effect != Effect::default()).then(|| effect.value().to_owned()));
}

pub(super) fn take_pattern(view: &mut View, value: &str) -> Result<()> {
    let found = PatternPart::ALL.into_iter().find(|part| part.value() == value);
    let found = found.ok_or_else(|| wrong(PATTERN, value, PatternPart::ALL.map(PatternPart::value).join(" or ")))?;
    view.sentence.pattern = Some(found);
    Ok(())
}

pub(super) fn write_pattern(view: &View, query: &mut Query) {
    let part = view.sentence.pattern.map(PatternPart::value);
    query.given(PATTERN, part.map(str::to_owned));
}

pub(super) fn take_layer(view: &mut View, value: &str) -> Result<()> {
    view.sentence.layer = switch(LAYER, value)?;
    Ok(())
}

pub(super) fn write_layer(view: &View, query: &mut Query) {
    query.given(LAYER, view.sentence.layer.then(|| "1".to_owned()));
}

pub(super) fn take_dots(view: &mut View, value: &str) -> Result<()> {
    view.sentence.dots = value
        .parse()
        .map_err(|_| wrong(DOTS, value, HistogramId::ALL.map(HistogramId::as_str).join(", ")))?;
    Ok(())
}

pub(super) fn write_dots(view: &View, query: &mut Query) {
    let dots = view.sentence.dots;
    query.given(DOTS, (dots != HistogramId::KeysFixedScores).then(|| dots.to_string()));
}

pub(super) fn take_causal(view: &mut View, value: &str) -> Result<()> {
    view.sentence.causal = value
        .parse()
        .map_err(|error: Error| wrong(CAUSAL, value, error.expected))?;
    Ok(())
}

pub(super) fn take_causal_side(view: &mut View, value: &str) -> Result<()> {
    view.sentence.causal_side = value
        .parse()
        .map_err(|error: Error| wrong(CAUSAL_SIDE, value, error.expected))?;
    Ok(())
}

pub(super) fn write_causal(view: &View, query: &mut Query) {
    let usual = SentenceView::default();
    let SentenceView {
        causal, causal_side, ..
    } = view.sentence;
    query.given(CAUSAL, (causal != usual.causal).then(|| causal.to_string()));
    query.given(
        CAUSAL_SIDE,
        (causal_side != usual.causal_side).then(|| causal_side.to_string()),
    );
}
