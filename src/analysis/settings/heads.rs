//! The heads of a run that nobody has named: those of the model's card.

use super::list::{EARLIER_HEAD, HEAD};
use super::setting::Setting;
use crate::analysis::Analysis;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ModelCard;
use crate::names::Head;

/// Makes `run` have the heads that `card` begins with; `given` says whether a setting is going to be set, so that nobody needs a card for
/// it, and `called` what it is called where it is given.
///
/// # Errors
/// [`ErrorKind::Request`] for a head that is neither given nor on a card.
pub fn put_heads_of_card(
    run: &mut Analysis,
    card: Option<&ModelCard>,
    given: impl Fn(&Setting) -> bool,
    called: impl Fn(&Setting) -> String,
) -> Result<()> {
    let heads: [(&Setting, &mut Head, Option<Head>); 2] = [
        (&HEAD, &mut run.head, card.map(|card| card.head)),
        (&EARLIER_HEAD, &mut run.earlier_head, card.map(|card| card.earlier_head)),
    ];
    for (setting, head, of_card) in heads {
        match of_card {
            Some(of_card) => *head = of_card,
            None if given(setting) => {}
            None => {
                let name = called(setting);
                let cause = format!("{name} is missing, and this model names no head to start with");
                return Err(Error::new(ErrorKind::Request, cause).expected("a head, such as 10.7"));
            }
        }
    }
    Ok(())
}
