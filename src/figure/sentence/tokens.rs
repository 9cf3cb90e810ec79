//! The tokens of the sentence with the head's attention from one of them.

use super::script;
use super::view::Measure;
use super::words::{answer, attention, head_title, percent, quoted, visible};
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{FigureName, Side};
use crate::plot::{Plot, Theme, TokenChip, TokensPlot};
use crate::quantities::number;

const NAME: FigureName = FigureName::new("tokens");

/// The tokens of the sentence, each with how much of the query's attention goes there.
pub struct Tokens;

/// What is known of a token.
struct Token<'a> {
    position: usize,
    text: &'a str,
    /// The attention to it, where the query sees it.
    share: Option<f32>,
    /// Its score, where that is known, too.
    score: Option<f32>,
}

fn tokens(subject: Subject<'_>) -> Result<Vec<Token<'_>>> {
    let section = attention(subject.result)?;
    let (scores, row) = (section.scores_of(section.head), section.row(section.head));
    let token = |(position, text)| Token {
        position,
        text,
        share: row.get(position).copied(),
        score: scores.get(position).copied(),
    };
    let texts = section.texts.iter().map(String::as_str).enumerate();
    Ok(texts.map(token).collect())
}

fn plot(subject: Subject<'_>) -> Result<TokensPlot> {
    let section = attention(subject.result)?;
    let ids = subject.result.prompts.first().map_or(&[][..], |prompt| &prompt.tokens);
    let chip = |token: Token<'_>| {
        let Token { position, text, .. } = token;
        let mut lines = vec![match ids.get(position) {
            Some(id) => format!("{} (position {position}, token {id})", visible(text)),
            None => format!("{} (position {position})", visible(text)),
        }];
        lines.push(match token.share {
            Some(share) => format!("attention {}", percent(share)),
            None => "after the query, which does not see it".into(),
        });
        lines.extend(
            token
                .score
                .map(|score| format!("score {}", number(f64::from(score), 3))),
        );
        TokenChip {
            text: visible(text),
            attention: token.share.unwrap_or_default(),
            lines,
        }
    };
    Ok(TokensPlot {
        title: title(subject)?,
        tokens: tokens(subject)?.into_iter().map(chip).collect(),
        dest: section.dest,
        src: section.src,
        labels: [Side::Query, Side::Key].map(|side| side.to_string()),
    })
}

fn title(subject: Subject<'_>) -> Result<String> {
    let section = attention(subject.result)?;
    Ok(format!(
        "Attention of {} from {}",
        head_title(section.head),
        quoted(&section.texts, section.dest)
    ))
}

impl FigureKind for Tokens {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.attention().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Where does it look?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Where does the head look?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "The tokens of the sentence; a dot in the middle of the line is a space. The bar in each says how much of the query's attention goes there."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Attention in the sentence".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        attention(subject.result).map_or_else(|_| "There is no attention of a sentence.".into(), answer)
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        plot(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let with_scores = attention(subject.result)?.scores.is_some();
        let row = |token: Token<'_>| {
            let field = |value: Option<f32>| value.map_or(Field::Empty, Field::Single);
            let score = with_scores.then(|| field(token.score));
            let first = [Field::Count(token.position), token.text.into()];
            first.into_iter().chain(score).chain([field(token.share)]).collect()
        };
        let names = ["position", "token", "score", "attention"].into_iter();
        let caption = if with_scores {
            "A row per token: its score and the attention that goes there; tokens after the query have none."
        } else {
            "A row per token: the attention that goes there; tokens after the query have none."
        };
        Ok(vec![Table {
            name: "tokens",
            title: title(subject)?,
            caption: caption.into(),
            columns: names
                .filter(|name| with_scores || *name != Measure::Score.value())
                .map(str::to_owned)
                .collect(),
            rows: tokens(subject)?.into_iter().map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_tokens(&plot(subject)?, theme))
    }
}
