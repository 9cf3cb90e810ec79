//! All settings of a run.

use super::setting::{Field, Group, Setting};
use crate::analysis::Analysis;
use crate::names::Normalization;
use crate::prompts::ioi::{MAX_BATCH_SIZE, MAX_BATCHES};
use crate::prompts::text::{Format, TextPrompts};
use crate::prompts::{IoiSet, PromptSource};

/// The head to analyze.
pub const HEAD: Setting = Setting {
    key: "head",
    option: "head",
    label: "Head",
    about: "The head to analyze, layer.head",
    group: Group::Heads,
    usual: "10.7",
    field: Field::Head {
        get: |run| run.head,
        set: |run, head| run.head = head,
    },
    cited: |run| Some(format!("head {}", run.head)),
};

/// The head whose output is one of the substituted vectors.
pub const EARLIER_HEAD: Setting = Setting {
    key: "earlier",
    option: "earlier-head",
    label: "Earlier head",
    about: "An earlier head, whose output is one of the substituted vectors",
    group: Group::Heads,
    usual: "9.9",
    field: Field::Head {
        get: |run| run.earlier_head,
        set: |run, head| run.earlier_head = head,
    },
    cited: |run| Some(format!("earlier head {}", run.earlier_head)),
};

/// The number of batches.
pub const BATCHES: Setting = Setting {
    key: "batches",
    option: "batches",
    label: "Batches",
    about: "Number of batches; batch i has the seed SEED + i",
    group: Group::Ioi,
    usual: "30",
    field: Field::Whole {
        limits: (1, MAX_BATCHES as u64),
        get: |run| ioi(run).map(|set| set.batches as u64),
        set: |run, count| change_ioi(run, |set| set.batches = count as usize),
    },
    cited: |run| ioi(run).map(|set| format!("{} batches of {}", set.batches, set.batch_size)),
};

/// The number of prompts per batch.
pub const BATCH_SIZE: Setting = Setting {
    key: "size",
    option: "batch-size",
    label: "Batch size",
    about: "Prompts per batch",
    group: Group::Ioi,
    usual: "40",
    field: Field::Whole {
        limits: (1, MAX_BATCH_SIZE as u64),
        get: |run| ioi(run).map(|set| set.batch_size as u64),
        set: |run, count| change_ioi(run, |set| set.batch_size = count as usize),
    },
    cited: |_| None,
};

/// Whether the user's own prompts are CSV.
pub const CSV: Setting = Setting {
    key: "csv",
    option: "csv",
    label: "Prompts are CSV",
    about: "The prompts are CSV with the header text,dest,src,a,b",
    group: Group::Text,
    usual: "0",
    field: Field::Switch {
        get: |run| own(run).is_some_and(|text| text.format == Format::Csv),
        set: |run, on| change_own(run, |text| text.format = if on { Format::Csv } else { Format::Lines }),
    },
    cited: |_| None,
};

/// Whether prompts begin with BOS.
pub const PREPEND_BOS: Setting = Setting {
    key: "bos",
    option: "bos",
    label: "Prompts start with BOS",
    about: "Begin every prompt with the BOS token",
    group: Group::Prompts,
    usual: "0",
    field: Field::Switch {
        get: |run| run.prompts.prepend_bos(),
        set: |run, on| *run.prompts.prepend_bos_mut() = on,
    },
    cited: |run| {
        Some(format!(
            "{} BOS",
            if run.prompts.prepend_bos() { "with" } else { "without" }
        ))
    },
};

/// The seed of random draws.
pub const SEED: Setting = Setting {
    key: "seed",
    option: "seed",
    label: "Seed",
    about: "Seed of the first batch, and of the random tokens that are substituted",
    group: Group::Prompts,
    usual: "0",
    field: Field::Whole {
        limits: (0, u32::MAX as u64),
        get: |run| Some(run.prompts.seed()),
        set: |run, seed| *run.prompts.seed_mut() = seed,
    },
    cited: |run| match ioi(run).map(IoiSet::last_seed) {
        Some(last) if last != run.prompts.seed() => Some(format!("seeds {} to {last}", run.prompts.seed())),
        _ => Some(format!("seed {}", run.prompts.seed())),
    },
};

/// Whether substituted vectors go through LayerNorm.
pub const EXACT_LN: Setting = Setting {
    key: "exact_ln",
    option: "exact-ln",
    label: "Exact LayerNorm of substituted vectors",
    about: "Normalize substituted vectors as LayerNorm does, centered and with eps, not by their unbiased standard deviation",
    group: Group::Vectors,
    usual: "0",
    field: Field::Switch {
        get: |run| run.normalization.is_exact(),
        set: |run, on| run.normalization = Normalization::of(on),
    },
    cited: |run| {
        let exact = run.normalization.is_exact();
        exact.then(|| format!("substituted vectors {}", run.normalization.done()))
    },
};

/// The intervention in every prompt.
pub const INTERVENTION: Setting = Setting {
    key: "intervention",
    option: "intervention",
    label: "Intervention in every prompt",
    about: "Something put in another\u{2019}s place in every prompt, recomputed to the end of the model, such as \"query without 9.9\"",
    group: Group::Intervention,
    usual: "",
    field: Field::Intervention {
        get: |run| run.intervention.as_ref(),
        set: |run, intervention| run.intervention = intervention,
    },
    cited: |run| {
        run.intervention
            .as_ref()
            .map(|intervention| format!("intervention: {intervention}"))
    },
};

/// The compute engine.
pub const ENGINE: Setting = Setting {
    key: "engine",
    option: "engine",
    label: "Engine",
    about: "What computes, and on how many threads: auto, gpu, relaxed, packed or gemm, such as \"packed on 2\"; the result is the same",
    group: Group::Engine,
    usual: "auto",
    field: Field::Engine {
        get: |run| run.engine,
        set: |run, engine| run.engine = engine,
    },
    // The engine does not change the result.
    cited: |_| None,
};

/// Whether to analyze what the head writes.
pub const WRITES: Setting = Setting {
    key: "writes",
    option: "writes",
    label: "What the head writes (runs all layers)",
    about: "Also find which tokens the head raises and lowers in every prompt: takes the prompts through the layers after the head's, too, \
            and reads W_U once more",
    group: Group::More,
    usual: "0",
    field: Field::Switch {
        get: |run| run.writes,
        set: |run, on| run.writes = on,
    },
    cited: |run| run.writes.then(|| "with what the head writes".to_owned()),
};

/// All settings, in the order in which they are offered.
pub const SETTINGS: &[Setting] = &[
    HEAD,
    EARLIER_HEAD,
    SEED,
    BATCHES,
    BATCH_SIZE,
    Setting {
        key: "src",
        option: "src",
        label: "src",
        about: "Position that the head looks to in prompts that don't mark it, counted from 0",
        group: Group::Text,
        usual: "",
        field: Field::Position {
            get: |run| own(run)?.src,
            set: |run, position| change_own(run, |text| text.src = Some(position)),
        },
        cited: |_| None,
    },
    Setting {
        key: "dest",
        option: "dest",
        label: "dest",
        about: "Position that the head looks from in prompts that don't mark it, counted from 0; the last token where none is given",
        group: Group::Text,
        usual: "",
        field: Field::Position {
            get: |run| own(run)?.dest,
            set: |run, position| change_own(run, |text| text.dest = Some(position)),
        },
        cited: |_| None,
    },
    CSV,
    PREPEND_BOS,
    EXACT_LN,
    INTERVENTION,
    WRITES,
    processing(
        [
            "fold_ln",
            "no-fold-ln",
            "Fold LayerNorm in",
            "Leave LayerNorm weights and biases where they are",
        ],
        |run| run.processing.fold_ln,
        |run, on| run.processing.fold_ln = on,
        |run| on("LayerNorm folded in", run.processing.fold_ln),
    ),
    processing(
        [
            "center_writing_weights",
            "no-center-writing-weights",
            "Center writing weights",
            "Leave maps that write to the residual stream as they are",
        ],
        |run| run.processing.center_writing_weights,
        |run, on| run.processing.center_writing_weights = on,
        |run| on("writing weights centered", run.processing.center_writing_weights),
    ),
    processing(
        [
            "center_unembed",
            "no-center-unembed",
            "Center W_U",
            "Leave W_U as it is",
        ],
        |run| run.processing.center_unembed,
        |run, on| run.processing.center_unembed = on,
        |run| on("W_U centered", run.processing.center_unembed),
    ),
    processing(
        [
            "fold_value_biases",
            "no-fold-value-biases",
            "Fold value biases in",
            "Leave b_V where it is",
        ],
        |run| run.processing.fold_value_biases,
        |run, on| run.processing.fold_value_biases = on,
        |run| on("value biases folded in", run.processing.fold_value_biases),
    ),
    ENGINE,
];

/// A switch of [`crate::model::Processing`], on by default. `about` describes the effect of switching it off.
const fn processing(
    [key, option, label, about]: [&'static str; 4],
    get: fn(&Analysis) -> bool,
    set: fn(&mut Analysis, bool),
    cited: fn(&Analysis) -> Option<String>,
) -> Setting {
    Setting {
        key,
        option,
        label,
        about,
        group: Group::Weights,
        usual: "1",
        field: Field::Switch { get, set },
        cited,
    }
}

fn on(what: &str, on: bool) -> Option<String> {
    Some(if on { what.to_owned() } else { format!("not {what}") })
}

fn ioi(run: &Analysis) -> Option<&IoiSet> {
    match &run.prompts {
        PromptSource::Ioi(set) => Some(set),
        _ => None,
    }
}

fn change_ioi(run: &mut Analysis, change: impl FnOnce(&mut IoiSet)) {
    if let PromptSource::Ioi(set) = &mut run.prompts {
        change(set);
    }
}

fn own(run: &Analysis) -> Option<&TextPrompts> {
    match &run.prompts {
        PromptSource::Text(text) => Some(text),
        _ => None,
    }
}

fn change_own(run: &mut Analysis, change: impl FnOnce(&mut TextPrompts)) {
    if let PromptSource::Text(text) = &mut run.prompts {
        change(text);
    }
}
