import { knockerProgram } from './knocker-program';
import { LineService } from './line-service';

/** A packet's way from somewhere to a host. */
export interface Knock {
  readonly proto: 'tcp' | 'udp';
  /** Source address: any of the family of `to`, as the router is the hosts' way to everywhere. */
  readonly from: string;
  readonly fromPort?: number;
  readonly to: string;
  readonly port: number;
  /** After this much silence it is given up. Default: 300 ms. */
  readonly timeoutMilliseconds?: number;
}

/**
 * What came back. UDP is `open` when the listener's echo arrives: on a host with several addresses a socket that is
 * bound to none of them answers from the one that the kernel likes best, and only the listener's `arrivals` tell.
 */
export type KnockAnswer = 'open' | 'refused' | 'unreachable' | 'reset' | 'silence';

const answers: readonly string[] = ['open', 'refused', 'unreachable', 'reset', 'silence'] satisfies KnockAnswer[];

/** Sends real packets to hosts from any address of the internet: one process on the router, many knocks at once. */
export class Knocker {
  private readonly service: LineService;

  constructor(routerPid: () => number) {
    this.service = new LineService(() => [
      'nsenter',
      '--target',
      `${routerPid()}`,
      '--net',
      '--',
      'perl',
      '-e',
      knockerProgram,
    ]);
  }

  /** @throws Error when the packet could not be sent. */
  async knock(knock: Knock): Promise<KnockAnswer> {
    const { proto, from, fromPort = 0, to, port, timeoutMilliseconds = 300 } = knock;
    const answer = await this.service.ask(`${proto} ${from} ${fromPort} ${to} ${port} ${timeoutMilliseconds}`);
    if (!isAnswer(answer)) {
      throw new Error(`cannot knock at ${to} from ${from}: ${answer}`);
    }
    return answer;
  }
}

function isAnswer(text: string): text is KnockAnswer {
  return answers.includes(text);
}
