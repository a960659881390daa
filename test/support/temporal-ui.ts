import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { ensureChromium } from '../../stack/install/chromium.js';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A headless browser: the machine's own, else one that is fetched into the cache.
 * @returns null where none can be had, with the reason on stderr; one that does not start is an error
 */
export async function startBrowser(): Promise<Browser | null> {
  const log = ({ message }: { message: string }) => void process.stderr.write(`browser: ${message}\n`);
  const found = await ensureChromium({ env: process.env, log }).catch((error: unknown) => {
    log({
      message: `${error instanceof Error ? error.message : String(error)}\nDecisions in the Temporal UI are not tested here.`,
    });
    return null;
  });
  if (found === null) return null;
  return chromium.launch({ executablePath: found.executable, env: { ...process.env, ...found.env }, args: FLAGS });
}

/** A workflow's page in the Temporal UI, used as a person would. */
export class WorkflowPage {
  private constructor(private readonly page: Page) {}

  static async open(browser: Browser, url: string): Promise<WorkflowPage> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 1200 } });
    await page.goto(url);
    return new WorkflowPage(page);
  }

  /** The current details as the page shows them, and the first block of code in them. */
  async details(): Promise<{ text: string; code: string }> {
    await this.page.locator('a, [role=tab]').filter({ hasText: 'User Metadata' }).first().click();
    const frame = this.page.frameLocator('iframe[title="output"]');
    const code = await frame.locator('pre').first().innerText();
    return { text: await frame.locator('body').innerText(), code };
  }

  /** More Actions → Send an Update, filled in and not yet sent. */
  async fillUpdate(name: string, input: object): Promise<void> {
    await this.page.getByRole('button', { name: 'More Actions' }).click();
    await this.page.getByRole('menuitem', { name: 'Send an Update' }).click();
    await this.dialog.getByTestId('update-select-button').click();
    await this.dialog.getByRole('option', { name, exact: true }).click();
    // Laid out as the form itself lays it out when it loses the focus: otherwise all moves then, and the next click misses.
    await this.dialog
      .getByRole('textbox')
      .last()
      .fill(JSON.stringify(input, null, 2));
    await this.dialog.getByRole('textbox').first().focus();
  }

  /** Sends what was filled in. @returns the refusal that the form shows, or null when it was accepted */
  async submit(): Promise<string | null> {
    await this.dialog.getByTestId('confirm-modal-button').click();
    const alert = this.dialog.getByRole('alert').filter({ hasText: /\S/ });
    await alert.or(this.page.locator('body:not(:has(dialog#update-confirmation-modal[open]))')).first().waitFor();
    return (await alert.count()) === 0 ? null : alert.innerText();
  }

  async closeForm(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Cancel' }).last().click();
  }

  close(): Promise<void> {
    return this.page.close();
  }

  private get dialog(): Locator {
    return this.page.locator('dialog#update-confirmation-modal[open]');
  }
}
