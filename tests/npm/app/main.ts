import { plot, setApp, version } from "@keyside/plot";
import result from "./result.json";

const app: string = import.meta.env.VITE_APP;
setApp(app);
document.querySelector("keyside-plot")!.setAttribute("app", app);

// By its address, into an element; by its content, put there by hand.
plot("#place", { plot: "heatmap", src: "result.json", theme: "dark" });
const given = plot({ plot: "keys_fixed_scores", result, controls: ["legend", "toolbar"], label: "Scores" });
given.addEventListener("keyside-shown", (event) => (document.title = `${event.detail}, ${version}`));
document.querySelector("#given")!.append(given);

// @ts-expect-error: there is no such theme.
const wrong: Parameters<typeof plot>[0] = { theme: "blue" };
document.body.dataset.wrong = String(wrong === null);
