import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

const EXECUTABLE = process.env.MILLRACE_CHROMIUM ?? "/usr/bin/chromium";

/** Why browser tests cannot run here, or false: the form node:test's `skip` takes. */
export const noChromium: string | false =
  existsSync(EXECUTABLE) || process.env.CI
    ? false
    : `no Chromium at ${EXECUTABLE}: install it, or set MILLRACE_CHROMIUM`;

/** A headless Chromium with a fresh profile, removed by `close`. */
export async function openBrowser(): Promise<{ context: BrowserContext; close: () => Promise<void> }> {
  const profile = await mkdtemp(path.join(os.tmpdir(), "millrace-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    context,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
