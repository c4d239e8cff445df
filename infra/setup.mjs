// Runs before every npm script, with any version of Node: installs the packages of the lockfile, once.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const at = (path) => new URL(path, root);
const stamp = at('node_modules/.tributary-setup');
const wanted = createHash('sha256')
  .update(readFileSync(at('package-lock.json')))
  .digest('hex');
const readPackages = (path) => JSON.parse(readFileSync(at(path), 'utf8')).packages;

/** Whether `npm ci` or `npm install` has installed the packages of the lockfile already: npm lists them in a file of its own. */
const isInstalledByNpm = () => {
  if (!existsSync(at('node_modules/.package-lock.json'))) return false;
  const locked = readPackages('package-lock.json');
  const present = readPackages('node_modules/.package-lock.json');
  return Object.entries(locked).every(
    ([path, { integrity, optional }]) =>
      path === '' ||
      (present[path] === undefined ? optional === true : present[path].integrity === integrity),
  );
};

const isStamped = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
const installed = existsSync(at('node_modules/.bin/node')) && (isStamped || isInstalledByNpm());

if (!installed) {
  // npm would empty the folder behind the link, which other working copies may use.
  if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    process.stderr.write(
      'node_modules is a link to a folder without the packages of package-lock.json. Install them there, or remove the link, and try again.\n',
    );
    process.exit(1);
  }
  process.stderr.write('Installing the packages of package-lock.json (once) …\n');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write(
      'npm ci failed; its message is above. The usual cause is that the registry cannot be reached.\n',
    );
    process.exit(status ?? 1);
  }
  if (!existsSync(at('node_modules/.bin/node'))) {
    process.stderr.write(
      `There is no packaged Node 24 for ${process.platform} ${process.arch}; the Node on your PATH (${process.version}) is used.\n`,
    );
    if (Number(process.versions.node.split('.')[0]) < 24) {
      process.stderr.write(
        'Tributary needs Node 24 or newer. Install it from https://nodejs.org and try again.\n',
      );
      process.exit(1);
    }
    symlinkSync(process.execPath, at('node_modules/.bin/node'));
  }
}
if (!isStamped) writeFileSync(stamp, wanted);

// npm links the commands of dependencies only. The link is made again when an update has moved the file behind it.
const command = at('node_modules/.bin/hub');
if (!existsSync(command)) {
  rmSync(command, { force: true });
  symlinkSync('../../cli/hub.ts', command);
}
