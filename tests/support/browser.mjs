// Headless Chromium through playwright-core, for tests of the pages.

import { chromium } from 'playwright-core';

/** A browser that talks to loopback only. Close it with browser.close(). */
export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--mute-audio',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--autoplay-policy=no-user-gesture-required'],
  });
}

/** A page that keeps what its console and its errors said in `page.said`. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.said = [];
  page.on('console', (message) => page.said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => page.said.push(`uncaught: ${error.message}`));
  if (url) await page.goto(url);
  return page;
}

/** Where playback is: what a viewer sees and hears, in numbers. */
export function playback(page) {
  return page.evaluate(() => {
    const video = document.querySelector('video');
    return {
      time_s: video.currentTime,
      width: video.videoWidth,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      audioBytes: video.webkitAudioDecodedByteCount,
      paused: video.paused,
      ended: video.ended,
      state: window.torchrelay.state,
      title: document.getElementById('notice').hidden
        ? '' : document.getElementById('notice-title').textContent,
    };
  });
}

/** Waits until the player is past `seconds`; on a failure the page's own words stand in the error. */
export async function playsPast(page, seconds, { deadline_ms = 30_000 } = {}) {
  try {
    await page.waitForFunction((wanted) => document.querySelector('video').currentTime > wanted,
      seconds, { timeout: deadline_ms, polling: 50 });
  } catch (error) {
    const now = JSON.stringify(await playback(page));
    throw new Error(`did not play past ${seconds} s: ${now}\n${page.said.slice(-15).join('\n')}`,
      { cause: error });
  }
}

/** Waits until the notice shows this title. */
export function showsNotice(page, title, { deadline_ms = 15_000 } = {}) {
  return page.getByText(title, { exact: false }).first().waitFor({ state: 'visible', timeout: deadline_ms });
}
