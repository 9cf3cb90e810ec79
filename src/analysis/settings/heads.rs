//! Default heads of a run, from the model's card.

use super::list::{EARLIER_HEAD, HEAD};
use super::setting::Setting;
use crate::analysis::Analysis;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ModelCard;
use crate::names::Head;

/// Sets the heads of `run` to those of `card`, unless they are given. `given` tells whether a setting is given, and
/// `called` is its name in error messages.
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
