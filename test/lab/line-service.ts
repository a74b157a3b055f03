import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { keepsAlive } from './child-reference';

/**
 * A helper program that is asked by lines and answers by lines, each of which begins with the number of its question.
 * It is started at the first question, and ends with this process.
 */
export class LineService {
  private child: ChildProcessWithoutNullStreams | undefined;
  private readonly waiting = new Map<string, { resolve(answer: string): void; reject(error: Error): void }>();
  private lastId = 0;

  constructor(
    private readonly argv: () => string[],
    /** Hears what the program says without being asked. */
    private readonly hear: (line: string) => void = () => undefined,
  ) {}

  /** Asks, and gives the answer without its number. @throws Error when the program ends before it answers. */
  ask(question: string, id = this.nextId()): Promise<string> {
    const child = (this.child ??= this.start());
    keepsAlive(child, true);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      child.stdin.write(`${id} ${question}\n`);
    });
  }

  nextId(): string {
    this.lastId += 1;
    return `${this.lastId}`;
  }

  private start(): ChildProcessWithoutNullStreams {
    const [command = '', ...rest] = this.argv();
    const child = spawn(command, rest, { stdio: 'pipe' });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.answer(child, line));
    child.on('error', (error) => (said += error.message));
    child.on('close', () => {
      this.child = undefined;
      this.waiting.forEach(({ reject }) => reject(new Error(`${command} ended: ${said.trim()}`)));
      this.waiting.clear();
    });
    return child;
  }

  private answer(child: ChildProcessWithoutNullStreams, line: string): void {
    const space = line.indexOf(' ');
    const id = line.slice(0, space);
    const waiting = this.waiting.get(id);
    if (waiting === undefined) {
      this.hear(line);
      return;
    }
    this.waiting.delete(id);
    keepsAlive(child, this.waiting.size > 0);
    waiting.resolve(line.slice(space + 1));
  }
}
