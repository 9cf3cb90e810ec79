//! Sentences about omitted series and heatmaps.

use crate::analysis::{OmissionReason, OmittedSeries};
use crate::names::{HistogramId, SeriesId};
use crate::result::ResultFile;

impl ResultFile {
    /// The omitted series of `histogram`, each with the reason: sentences.
    pub fn left_out_of(&self, histogram: HistogramId) -> Vec<String> {
        let section = self.substitution().into_iter();
        let all = section.flat_map(|section| &section.left_out);
        let shown = all.filter(|left_out| left_out.side.is_none_or(|side| side == histogram.side()));
        shown.map(|left_out| series(left_out, self.prompt_count())).collect()
    }

    /// The omitted heatmaps, grouped by reason: sentences.
    pub fn left_out_heatmaps(&self) -> Vec<String> {
        let Some(section) = self.contributions() else {
            return Vec::new();
        };
        let mut by_reason: Vec<(OmissionReason, usize, Vec<String>)> = Vec::new();
        for left_out in &section.left_out {
            let (why, prompts, name) = (left_out.why, left_out.prompts, left_out.heatmap.to_string());
            match by_reason.iter_mut().find(|known| (known.0, known.1) == (why, prompts)) {
                Some((_, _, names)) => names.push(name),
                None => by_reason.push((why, prompts, vec![name])),
            }
        }
        let sentence = |(why, prompts, names): (OmissionReason, usize, Vec<String>)| {
            let heatmaps = match &names[..] {
                [name] => format!("The heatmap {name} is left out"),
                names => format!("The heatmaps {} are left out", names.join(", ")),
            };
            let cause = match why {
                OmissionReason::Constant => format!(
                    "{} or the output of MLP 0, which ends of the score are made from or split along, is the same number \
                     everywhere",
                    SeriesId::WuIo
                ),
                OmissionReason::Overflow => "contributions are too large for single precision".to_owned(),
            };
            format!("{heatmaps}: {cause} in {prompts} of {} prompts.", section.prompts)
        };
        by_reason.into_iter().map(sentence).collect()
    }

    /// All omitted series and heatmaps: sentences, without repetitions.
    pub fn left_out(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let of_histograms = [HistogramId::KeysFixedScores, HistogramId::QueriesFixedScores];
        let series = of_histograms
            .into_iter()
            .flat_map(|histogram| self.left_out_of(histogram));
        for sentence in series.chain(self.left_out_heatmaps()) {
            if !all.contains(&sentence) {
                all.push(sentence);
            }
        }
        all
    }
}

/// Why a series is omitted, in a run of `count` prompts.
fn series(left_out: &OmittedSeries, count: usize) -> String {
    let cause = match (&left_out.series, left_out.why) {
        (SeriesId::EarlierHead(head), OmissionReason::Constant) => {
            format!("head {head} writes nothing, or the same number everywhere,")
        }
        (_, OmissionReason::Constant) => "its vector is the same number everywhere".to_owned(),
        (_, OmissionReason::Overflow) => "its scores are too large for single precision".to_owned(),
    };
    let prompts = left_out.prompts;
    format!(
        "The series {} is left out: {cause} in {prompts} of {count} prompts.",
        left_out.series
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::OmittedHeatmap;
    use crate::names::{Head, HeatmapId, Side};

    #[test]
    fn sentences_name_what_is_left_out_why_and_in_how_many_prompts() {
        let recorded = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        let mut result = ResultFile::from_json(recorded).expect("the recorded run");
        assert_eq!(result.left_out(), [""; 0]);
        let series = |side, series, prompts, why| OmittedSeries {
            side,
            series,
            prompts,
            why,
        };
        result.substitution_mut().expect("a section").left_out = vec![
            series(
                Some(Side::Query),
                SeriesId::EarlierHead(Head::new(9, 9)),
                1200,
                OmissionReason::Constant,
            ),
            series(Some(Side::Key), SeriesId::WeeIo, 3, OmissionReason::Overflow),
            series(None, SeriesId::TrueScore, 1, OmissionReason::Overflow),
        ];
        let of_keys = result.left_out_of(HistogramId::QueriesFixedProbs);
        assert_eq!(of_keys.len(), 2);
        assert!(
            of_keys[0].contains("W_EE[IO]") && of_keys[0].contains("3 of 1200 prompts"),
            "{of_keys:?}"
        );
        let heatmap = |name: &str, why| OmittedHeatmap {
            heatmap: HeatmapId::from(name),
            prompts: 40,
            why,
        };
        result.contributions_mut().expect("a section").left_out = vec![
            heatmap("query_subMLP0", OmissionReason::Constant),
            heatmap("key_split/q par k par", OmissionReason::Constant),
            heatmap("key", OmissionReason::Overflow),
        ];
        let all = result.left_out();
        assert_eq!(all.len(), 5, "{all:?}");
        assert!(all[0].contains("head 9.9 writes nothing"), "{}", all[0]);
        assert!(
            all[3].contains("query_subMLP0, key_split/q par k par are left out"),
            "{}",
            all[3]
        );
        assert!(
            all[4].contains("The heatmap key is left out") && all[4].contains("in 40 of 40 prompts"),
            "{}",
            all[4]
        );
    }
}
