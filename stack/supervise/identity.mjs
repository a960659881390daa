// Plain JavaScript, because the watchdog runs it from the sources as well as from `dist/`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A process named beyond doubt: pids are reused, a pid together with its start time is not.
 * @typedef {{ pid: number, startedAt: string }} ProcessIdentity
 */

/** @type {string | undefined} */
let bootId;

/**
 * When the process with this pid started, as an opaque text that is comparable on this machine; null when it does not run (a zombie does not).
 * @param {number} pid
 * @returns {string | null}
 */
export function startTimeOf(pid) {
  try {
    if (process.platform !== 'linux') {
      const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
      return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the second field is the command in parentheses and may hold anything, so count from the last one. Field 3 is the state, 22 the start in clock ticks since boot.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${bootId}/${fields[19]}`;
  } catch {
    return null;
  }
}

/**
 * The identity of a running process, or null.
 * @param {number} pid
 * @returns {ProcessIdentity | null}
 */
export function identify(pid) {
  const startedAt = startTimeOf(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/**
 * Whether exactly this process still runs.
 * @param {ProcessIdentity} identity
 * @returns {boolean}
 */
export function isRunning(identity) {
  return startTimeOf(identity.pid) === identity.startedAt;
}

/**
 * Sends a signal to a process and to the group it leads, if exactly this process still runs.
 * When it is gone but its group is not, the group is what it left behind: a pid stays taken while a group carries it, so it is no stranger's.
 * @param {ProcessIdentity} identity
 * @param {NodeJS.Signals} signal
 * @returns {boolean} whether anything was there to receive it
 */
export function signalGroup(identity, signal) {
  const now = startTimeOf(identity.pid);
  if (now !== null && now !== identity.startedAt) return false;
  try {
    process.kill(-identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends these processes and their groups: asks first, then insists.
 * @param {ProcessIdentity[]} identities
 * @param {number} graceMs how long they may take before SIGKILL
 */
export async function endProcesses(identities, graceMs) {
  const asked = identities.filter((identity) => signalGroup(identity, 'SIGTERM'));
  const deadline = Date.now() + graceMs;
  while (asked.some(isRunning) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const identity of asked) signalGroup(identity, 'SIGKILL');
  const killedBy = Date.now() + 5_000;
  while (asked.some(isRunning) && Date.now() < killedBy) await new Promise((resolve) => setTimeout(resolve, 20));
}
