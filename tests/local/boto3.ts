import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { listen } from '../../infra/local/protocol/http.ts';
import type { AwsService } from '../../infra/local/protocol/service.ts';

/** Whether this machine has Python with boto3, a client of AWS in another language than ours, that knows what the tests ask for. */
export const hasBoto3 =
  spawnSync('python3', [
    '-c',
    'import boto3; assert tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 36)',
  ]).status === 0;

/**
 * Runs a Python script against a service served over a socket, and answers what the script prints, read as JSON.
 * The script finds `client`, bound to the service.
 */
export const runBoto3 = async (service: AwsService, name: string, script: string): Promise<unknown> => {
  const caller = { accessKeyId: 'AKIATEST', arn: 'arn:aws:iam::123456789012:role/test' };
  const { port, stop } = await listen(({ target, ...request }) => {
    const [path = '/', query = ''] = target.split('?');
    return service.handle({ ...request, path, query }, caller);
  });
  const prelude = `
import boto3, json
from botocore.config import Config
client = boto3.client('${name}', endpoint_url='http://127.0.0.1:${port}', region_name='eu-south-1',
    aws_access_key_id='AKIATEST', aws_secret_access_key='secret',
    config=Config(retries={'max_attempts': 0}, s3={'addressing_style': 'path'}))
`;
  try {
    const { stdout } = await promisify(execFile)('python3', ['-c', prelude + script]);
    return JSON.parse(stdout);
  } finally {
    await stop();
  }
};
