//! The page's address: a parsed address can be written, and is parsed back as the same.
#![no_main]

use keyside::app::address::Address;
use keyside_fuzz::checked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let Some(address) = checked(Address::parse(query)) else {
        return;
    };
    let written = address.to_query();
    assert!(written.is_ascii());
    assert_eq!(Address::parse(&written).as_ref(), Ok(&address));
    address.form();
});
