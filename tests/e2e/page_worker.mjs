// A worker of a page's own, spoken to as the page speaks to it.

/** Starts the worker of `page`, which has the page open. */
export async function startWorker(page) {
  const worker = await page.evaluateHandle(
    () =>
      new Promise((done, fail) => {
        const worker = new Worker(document.querySelector('meta[name="keyside-worker"]').content);
        worker.onerror = (event) => fail(new Error(event.message));
        worker.onmessage = () => done(worker);
      }),
  );
  return {
    /** What is posted until all of `messages` that have a number are answered, and how many seconds that took. */
    serve: (messages) =>
      page.evaluate(
        ([worker, messages]) =>
          new Promise((done, fail) => {
            const ids = new Set(messages.flatMap((message) => Object.values(message)[0].id ?? []));
            const posted = [];
            const begun = performance.now();
            worker.onerror = (event) => fail(new Error(event.message));
            worker.onmessage = ({ data }) => {
              const message = JSON.parse(data);
              posted.push(message);
              if (message.panicked) fail(new Error(message.panicked.message));
              const ended = message.answered ?? message.finished ?? message.head_roles ?? message.failed;
              if (ended) ids.delete(ended.id);
              if (!ids.size) done({ posted, seconds: (performance.now() - begun) / 1000 });
            };
            for (const message of messages) worker.postMessage(JSON.stringify(message));
          }),
        [worker, messages],
      ),
    end: () => worker.evaluate((worker) => worker.terminate()),
  };
}
