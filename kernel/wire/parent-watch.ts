/** How often the parent is looked for, in ms. */
const INTERVAL = 1000;

/** Calls back once when the process that started this kernel (`JPY_PARENT_PID`) is gone. Does nothing where nobody said who that is. */
export function watchParent(gone: () => void): void {
  const parent = Number(process.env.JPY_PARENT_PID);
  if (!(parent > 1)) return;
  const timer = setInterval(() => {
    if (isAlive(parent)) return;
    clearInterval(timer);
    gone();
  }, INTERVAL);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it lives, under another user
  }
}
