//! Groups the prompts of a result by kind: order of the names, template, or name.

use super::ResultFile;
use crate::analysis::SectionType;
use crate::names::{PositionName, SplitBy};
use crate::prompts::ioi::{Dataset, DrawnPrompt, draw_words};
use crate::prompts::{IoiSet, Prompt};

/// Prompts of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptGroup {
    /// What they have in common: "IO first (ABBA)", a template without its names, or a name.
    pub label: String,
    /// Their indices in the result, ascending.
    pub prompts: Vec<usize>,
}

/// A prompt's kind; the number gives the order of kinds.
type GroupKey = (usize, String);

impl ResultFile {
    /// Groups the prompts by kind. Empty where the kinds are unknown: prompts of other makers have no template, and
    /// neither have prompts whose texts are not those that their seeds give.
    ///
    /// Orders are listed with IO first, templates in the order of the dataset, names alphabetically.
    // Not generic, so that it is compiled only once into the page's wasm.
    #[inline(never)]
    pub fn split(&self, by: SplitBy) -> Vec<PromptGroup> {
        let kinds: Vec<Option<GroupKey>> = match by {
            SplitBy::Order if self.has_prompts() => self.prompts.iter().map(order_of).collect(),
            SplitBy::Name if self.has_prompts() => self.prompts.iter().map(name_of).collect(),
            _ => self.drawn_kinds(by),
        };
        let mut groups: Vec<(GroupKey, Vec<usize>)> = Vec::new();
        for (prompt, kind) in kinds.into_iter().enumerate() {
            let Some(kind) = kind else { continue };
            match groups.binary_search_by(|(known, _)| known.cmp(&kind)) {
                Ok(at) => groups[at].1.push(prompt),
                Err(at) => groups.insert(at, (kind, vec![prompt])),
            }
        }
        let group = |((_, label), prompts)| PromptGroup { label, prompts };
        groups.into_iter().map(group).collect()
    }

    /// The kinds of splits that give at least two groups.
    pub fn splits(&self) -> Vec<SplitBy> {
        // A split with a single group is useless.
        let apart = |by: &SplitBy| self.split(*by).len() > 1;
        SplitBy::ALL.into_iter().filter(apart).collect()
    }

    fn has_prompts(&self) -> bool {
        !self.prompts.is_empty()
    }

    /// Kinds of prompts, found by drawing them again from the IOI dataset.
    fn drawn_kinds(&self, by: SplitBy) -> Vec<Option<GroupKey>> {
        let Ok(dataset) = Dataset::bundled() else {
            return Vec::new();
        };
        let templates: Vec<String> = dataset
            .baba_templates
            .iter()
            .map(|template| without_names(template))
            .collect();
        let mut kinds = Vec::new();
        for (number, prompt) in self.drawn(&dataset).into_iter().flatten().enumerate() {
            let known = !self.has_prompts() || self.prompts.get(number).is_some_and(|own| own.text == prompt.text);
            kinds.push(known.then(|| match by {
                SplitBy::Order => order(prompt.template.find("[A]") < prompt.template.find("[B]")),
                SplitBy::Name => (0, prompt.io),
                SplitBy::Template => {
                    let kind = without_names(&prompt.template);
                    let place = templates.iter().position(|template| *template == kind);
                    (place.unwrap_or(templates.len()), kind)
                }
            }));
        }
        kinds
    }

    /// Draws the prompts again, if they are of the IOI dataset.
    fn drawn(&self, dataset: &Dataset) -> Option<Vec<DrawnPrompt>> {
        let set = self.drawn_set()?;
        let mut all = Vec::new();
        for batch in 0..set.batches {
            all.extend(draw_batch(dataset, set, batch)?);
        }
        Some(all)
    }

    /// The set to draw again. Limited by the number of values, because a file may claim any number of prompts.
    fn drawn_set(&self) -> Option<&IoiSet> {
        let set = self.ioi()?;
        let values = self.substitution()?.prompt_count();
        (values == Some(set.count())).then_some(set)
    }

    /// The text of prompt number `prompt` (from 0): its own or, if the result has no texts, the one that its seed
    /// gives. None where it is unknown.
    ///
    /// ```
    /// use keyside::result::ResultFile;
    ///
    /// let recorded = ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json"))?;
    /// assert!(recorded.prompts.is_empty());
    /// assert!(recorded.prompt_text(7).is_some() && recorded.prompt_text(1200).is_none());
    /// # Ok::<(), keyside::Error>(())
    /// ```
    pub fn prompt_text(&self, prompt: usize) -> Option<String> {
        if self.has_prompts() {
            return self.prompts.get(prompt).map(|prompt| prompt.text.clone());
        }
        let set = self.drawn_set().filter(|set| prompt < set.count())?;
        let batch = draw_batch(&Dataset::bundled().ok()?, set, prompt / set.batch_size)?;
        batch.into_iter().nth(prompt % set.batch_size).map(|drawn| drawn.text)
    }
}

/// Draws batch number `batch` of `set` again. None where the seed overflows.
fn draw_batch(dataset: &Dataset, set: &IoiSet, batch: usize) -> Option<Vec<DrawnPrompt>> {
    // Random tokens do not influence the draw of the prompts.
    draw_words(dataset, set.seed.checked_add(batch as u64)?, set.batch_size, 1).ok()
}

fn order(io_first: bool) -> GroupKey {
    if io_first {
        (0, "IO first (ABBA)".to_owned())
    } else {
        (1, "S first (BABA)".to_owned())
    }
}

fn order_of(prompt: &Prompt) -> Option<GroupKey> {
    // In files of others, the indirect object may be a name or the source token.
    let io = prompt
        .position(&PositionName::Io)
        .or(prompt.position(&PositionName::Src))?;
    Some(order(io < prompt.position(&PositionName::S1)?))
}

fn name_of(prompt: &Prompt) -> Option<GroupKey> {
    let name = prompt.names.get(PositionName::Io.as_str())?;
    Some((0, name.clone()))
}

/// A template with its names removed: the same for both orders.
fn without_names(template: &str) -> String {
    template.replace("[A]", "\u{2026}").replace("[B]", "\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> ResultFile {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        ResultFile::from_json(bytes).expect("the recorded run")
    }

    fn second_name() -> ResultFile {
        let bytes = include_bytes!("../../tests/fixtures/second-name-head-1.4.json");
        ResultFile::from_json(bytes).expect("a result")
    }

    #[test]
    fn prompts_of_the_recorded_run_have_the_texts_of_its_dataset() {
        let result = recorded();
        let drawn: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/ioi-prompts-30x40.json")).expect("the prompts");
        let texts: Vec<String> = drawn["batches"]
            .as_array()
            .expect("batches")
            .iter()
            .flat_map(|batch| batch["prompts"].as_array().expect("prompts"))
            .map(|text| text.as_str().expect("a text").to_owned())
            .collect();
        assert_eq!(texts.len(), 1200);
        for (prompt, text) in texts.iter().enumerate().step_by(97) {
            assert_eq!(result.prompt_text(prompt).as_ref(), Some(text), "prompt {prompt}");
        }
        assert_eq!(result.prompt_text(1200), None);
    }

    #[test]
    fn every_prompt_is_of_one_kind() {
        let result = recorded();
        assert_eq!(result.splits(), SplitBy::ALL);
        for by in SplitBy::ALL {
            let groups = result.split(by);
            let mut prompts: Vec<usize> = groups.iter().flat_map(|group| group.prompts.clone()).collect();
            prompts.sort_unstable();
            assert_eq!(prompts, (0..1200).collect::<Vec<_>>(), "{by}");
        }
        let labels = |by| -> Vec<String> { result.split(by).into_iter().map(|group| group.label).collect() };
        assert_eq!(labels(SplitBy::Order), ["IO first (ABBA)", "S first (BABA)"]);
        let templates = labels(SplitBy::Template);
        assert_eq!(templates.len(), 7, "{templates:?}");
        assert!(
            templates.iter().all(|label| label.matches('\u{2026}').count() == 4),
            "{templates:?}"
        );
        let names = labels(SplitBy::Name);
        assert!(names.len() > 50 && names.is_sorted(), "{names:?}");
    }

    /// The prompts of 30 batches, drawn by the Python of the notebook.
    #[test]
    fn kinds_are_those_of_the_prompts() {
        let recorded: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/ioi-prompts-30x40.json")).expect("JSON");
        let text = recorded.to_string();
        let result = self::recorded();
        let drawn = result.drawn(&Dataset::bundled().expect("a dataset")).expect("draws");
        assert_eq!(drawn.len(), 1200);
        for prompt in &drawn {
            assert!(text.contains(&prompt.text), "{}", prompt.text);
        }
        for group in result.split(SplitBy::Order) {
            for prompt in &group.prompts {
                let DrawnPrompt { text, io, s, .. } = &drawn[*prompt];
                let (io, s) = (text.find(io.as_str()), text.find(s.as_str()));
                assert_eq!(io < s, group.label.starts_with("IO"), "{text}");
            }
        }
        for group in result.split(SplitBy::Name) {
            assert!(group.prompts.iter().all(|prompt| drawn[*prompt].io == group.label));
        }
    }

    #[test]
    fn results_with_prompts_and_without_are_split_alike() {
        let mut result = second_name();
        let without = SplitBy::ALL.map(|by| result.split(by));
        let drawn = result.drawn(&Dataset::bundled().expect("a dataset")).expect("draws");
        let prompt = |drawn: &DrawnPrompt| {
            let at = |name: &str| drawn.text.find(name).expect("a name of the prompt");
            Prompt {
                text: drawn.text.clone(),
                positions: [(PositionName::Src, at(&drawn.io)), (PositionName::S1, at(&drawn.s))].into(),
                names: [(PositionName::Io.to_string(), drawn.io.clone())].into(),
                ..Prompt::default()
            }
        };
        result.prompts = drawn.iter().map(prompt).collect();
        assert_eq!(without, SplitBy::ALL.map(|by| result.split(by)));
        let counts: Vec<usize> = without[0].iter().map(|group| group.prompts.len()).collect();
        assert_eq!(counts, [189, 211]);
    }

    #[test]
    fn prompts_without_values_are_not_drawn() {
        let mut result = recorded();
        let Some(crate::prompts::PromptSet::Ioi(set)) = &mut result.prompt_set else {
            panic!("{:?}", result.prompt_set)
        };
        set.batches = 1_000_000_000;
        assert_eq!(result.splits(), []);
        result.sections.clear();
        assert_eq!(result.splits(), []);
    }

    #[test]
    fn what_is_not_of_the_dataset_is_not_split() {
        let mut result = recorded();
        result.prompt_set = None;
        assert_eq!(result.splits(), []);
        let prompt = |text: &str| Prompt {
            text: text.to_owned(),
            ..Prompt::default()
        };
        let mut result = recorded();
        result.prompts = vec![prompt("Another text"), prompt("And one more")];
        assert_eq!(result.splits(), []);
    }
}
