// The end-to-end tests. Without arguments: all but those of the full size and of a notebook, which others prepare. `full-size`: those alone.
import { runAll } from "./harness.mjs";
import { axe } from "./axe.mjs";
import { badInput } from "./bad_input.mjs";
import { causes } from "./causes.mjs";
import { changes } from "./changes.mjs";
import { configurations } from "./configurations.mjs";
import { embed } from "./embed.mjs";
import { exporting } from "./export.mjs";
import { faults } from "./faults.mjs";
import { figures } from "./figures.mjs";
import { fullSize } from "./full_size.mjs";
import { golden } from "./golden.mjs";
import { gpu } from "./gpu.mjs";
import { gpuFaults } from "./gpu_faults.mjs";
import { hosting } from "./hosting.mjs";
import { keyboard } from "./keyboard.mjs";
import { leaving } from "./leaving.mjs";
import { littleMemory } from "./little_memory.mjs";
import { liveRuns } from "./live_runs.mjs";
import { models } from "./models.mjs";
import { network } from "./network.mjs";
import { notebook } from "./notebook.mjs";
import { npm } from "./npm.mjs";
import { offline } from "./offline.mjs";
import { ownPrompts } from "./own_prompts.mjs";
import { permalink } from "./permalink.mjs";
import { readme } from "./readme.mjs";
import { recordedRun } from "./recorded_run.mjs";
import { scatter } from "./scatter.mjs";
import { security } from "./security.mjs";
import { sentence } from "./sentence.mjs";
import { starting } from "./starting.mjs";
import { storage } from "./storage.mjs";
import { story } from "./story.mjs";
import { sweep } from "./sweep.mjs";
import { webPage } from "./web_page.mjs";
import { words } from "./words.mjs";

const suites = {
  axe,
  "bad-input": badInput,
  causes,
  changes,
  configurations,
  embed,
  export: exporting,
  faults,
  figures,
  "full-size": fullSize,
  golden,
  gpu,
  "gpu-faults": gpuFaults,
  hosting,
  keyboard,
  leaving,
  "little-memory": littleMemory,
  "live-runs": liveRuns,
  models,
  network,
  notebook,
  npm,
  offline,
  "own-prompts": ownPrompts,
  permalink,
  readme,
  "recorded-run": recordedRun,
  scatter,
  security,
  sentence,
  starting,
  storage,
  story,
  sweep,
  "web-page": webPage,
  words,
};
const named = process.argv.slice(2);
const chosen = named.length ? named.flatMap((name) => suites[name] ?? []) : [...story, ...readme, ...recordedRun, ...figures, ...scatter, ...words, ...permalink, ...liveRuns, ...leaving, ...ownPrompts, ...sweep, ...sentence, ...causes, ...changes, ...keyboard, ...golden, ...gpu, ...gpuFaults, ...models, ...storage, ...network, ...starting, ...littleMemory, ...configurations, ...badInput, ...exporting, ...webPage, ...security, ...offline, ...hosting, ...embed, ...npm, ...axe];
await runAll(chosen);
