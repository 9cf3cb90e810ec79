/** The figures that there are; which of them a result has, depends on what it is about. */
export type Figure =
  | "heatmap"
  | "keys_fixed_scores"
  | "keys_fixed_probs"
  | "queries_fixed_scores"
  | "queries_fixed_probs"
  | "recurring_directions"
  | "recurring_directions_relative"
  | "scatter"
  | "source_values"
  | "copy_suppression"
  | "change_attention"
  | "change_logits"
  | "change_logprob"
  | "tokens"
  | "heads"
  | "pattern"
  | "layer"
  | "writers"
  | "table"
  | "dots"
  | "intervention"
  | "causal"
  | "causal_predicted"
  | "effects"
  | "writes"
  | "lens"
  | "directions"
  | "direction_query"
  | "direction_key"
  | "head_effects";

/** What is shown, and how. All but `app` is optional, and that is where setApp() was called. */
export interface PlotOptions {
  /** Which figure; "heatmap" without it. */
  plot?: Figure;
  /** A result file, relative to the page; without it and `result` the recorded run of GPT-2 small. */
  src?: string;
  /** A result in place of `src`: the text of a result file, or what it holds. */
  result?: string | object;
  /** "none", or some of legend, toolbar and export; the legend without it. */
  controls?: "none" | "legend" | "toolbar" | "export" | (string & {}) | ("legend" | "toolbar" | "export")[];
  /** "auto" without it: as the reader's system has it. */
  theme?: "auto" | "light" | "dark";
  /** More of the state, as it stands after "?" in a link to keyside. */
  state?: string;
  /** The figure's name for people who do not see it. */
  label?: string;
  /** Where keyside is served: the address of its folder, with a slash at the end. */
  app?: string;
}

/** `<keyside-plot>`: attributes as in {@link PlotOptions}. It says "keyside-shown" and "keyside-error". */
export interface KeysidePlotElement extends HTMLElement {
  /** A result to show in place of the attribute `src`; read as text. */
  get result(): string | undefined;
  set result(result: string | object | null | undefined);
  addEventListener(
    type: "keyside-shown" | "keyside-error",
    listener: (event: CustomEvent<string>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

/** The class of the element, which importing the module defines; undefined where there is no document, as on a server. */
export const KeysidePlot: { new (): KeysidePlotElement } | undefined;

/** Where keyside is, for all figures that do not say it themselves. */
export function setApp(address: string | URL): void;

/** A figure, to be put into a page: Observable shows what a cell answers. */
export function plot(options?: PlotOptions): KeysidePlotElement;
/** A figure within an element, which may be named by a selector. */
export function plot(target: Element | string, options?: PlotOptions): KeysidePlotElement;

/** The version of the package, which is that of keyside. */
export const version: string;

declare global {
  interface HTMLElementTagNameMap {
    "keyside-plot": KeysidePlotElement;
  }
}
