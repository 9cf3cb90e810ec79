//! A segmented control: a group of radio buttons side by side.

use leptos::prelude::*;

/// The radio button `value` of the group `name`; its `data-testid` consists of both. `choose` is called when it is
/// chosen.
#[component]
pub fn Segment(
    name: &'static str,
    value: &'static str,
    #[prop(into)] label: ViewFn,
    #[prop(into)] chosen: Signal<bool>,
    #[prop(into, optional)] disabled: Signal<bool>,
    choose: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <label>
            <input
                type="radio"
                name=name
                class="visually-hidden"
                value=value
                data-testid=format!("{name}-{value}")
                prop:checked=move || chosen.get()
                disabled=move || disabled.get()
                on:change=move |_| choose()
            />
            <span>{label.run()}</span>
        </label>
    }
}
