//! One choice of several that stand side by side.

use leptos::prelude::*;

/// The choice `value` of the group `name`, whose name for tests is both. `choose` is called when it is chosen.
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
