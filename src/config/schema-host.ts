import { z } from 'zod';
import { labelNamePattern, readLabelName, readLabelValue } from '../inventory/label';
import { readAddress, readHostName } from '../inventory/name';
import { readProxy } from '../inventory/proxy';
import { legacyAlgorithms } from '../ssh/legacy-algorithms';
import { checked, duration, jumps, line, network, path, portKey, portRange, readAs } from './schema-fields';

/** The keys of `ssh:`, which stand at the top for all hosts, at a stack for its own, and at a host. */
export const sshSchema = z
  .strictObject({
    user: line(256)
      .refine((user) => !user.startsWith('-') && !/\s/.test(user), { error: 'must be a user name' })
      .optional()
      .meta({ description: 'The user to log in as. Default: reboot-exporter.' }),
    port: z.int().min(1).max(65_535).optional().meta({ description: 'The port of sshd. Default: 22.' }),
    identity_file: z
      .union([path(), z.array(path()).min(1)])
      .optional()
      .meta({
        description:
          'Private key, or a list of them, tried in order; with identity_agent also public keys, whose private halves the agent has. Relative to this file. Default: /etc/reboot-exporter/id_ed25519, or with identity_agent every key of the agent.',
      }),
    passphrase_file: path().optional().meta({
      description:
        'File with the passphrase of the private keys that are encrypted, on one line; only the exporter may be able to read it. Relative to this file. Default: none.',
    }),
    identity_agent: path().optional().meta({
      description:
        'The ssh-agent that signs for keys which are not in a file here: the path of its socket, SSH_AUTH_SOCK to take the path from that variable ($NAME: from another), or none. Default: none.',
    }),
    certificate_file: z
      .union([path(), z.array(path()).min(1)])
      .optional()
      .meta({
        description:
          'Certificate of one of the keys, or a list of them. The key `id_ed25519` needs no mention of `id_ed25519-cert.pub`, which is used where it exists. Relative to this file.',
      }),
    known_hosts: path().optional().meta({
      description:
        "The known_hosts file with the hosts' keys, checked strictly: a key that is not in it is refused. Relative to this file. Default: /etc/reboot-exporter/known_hosts.",
    }),
    sudo: z.enum(['auto', 'never']).optional().meta({
      description: 'auto: read the firewall by `sudo -n` where the host allows it. never: do without. Default: auto.',
    }),
    connection: z.enum(['auto', 'keep', 'fresh']).optional().meta({
      description:
        'keep: hold the connection open between probes. fresh: connect for each. auto: whichever costs less. Default: auto.',
    }),
    proxy_jump: jumps().optional().meta({
      description:
        'The bastion by which the host is reached, `[user@]host[:port]`, or a list or comma-separated list of them, the one that is dialled first first; none: no bastion. Each is verified by known_hosts. Default: none.',
    }),
    proxy: readAs({ type: 'string' }, readProxy).optional().meta({
      description:
        'A SOCKS proxy by which the host, or its first bastion, is dialled: socks5://host:port, or socks5h:// to have the proxy resolve names; none: no proxy. Default: none.',
    }),
    proxy_password_file: path().optional().meta({
      description:
        'File with the `user:password` for the proxy, on one line; only the exporter may be able to read it. Relative to this file. Default: none.',
    }),
    config_file: path().optional().meta({
      description:
        'An ssh_config file such as ~/.ssh/config, for what is not said here: HostName, User, Port, IdentityFile, ProxyJump and the like of each address. It never makes anything less strict, and no command in it is run. none: no such file. Relative to this file. Default: none.',
    }),
    address_family: z.enum(['any', 'inet', 'inet6']).optional().meta({
      description: 'Which addresses of a name are dialled: inet: IPv4, inet6: IPv6, any: both. Default: any.',
    }),
    connect_timeout: duration({ min: 0.1, max: 3600 }).optional().meta({
      description: 'How long it may take to reach the host, within probe.timeout. Default: as long as that.',
    }),
    host_key_alias: line(256)
      .refine((alias) => !/[\s,*?!|[\]]/.test(alias), { error: 'must be a plain name' })
      .optional()
      .meta({
        description: "The name that the host's key stands under in known_hosts. Default: its address and its name.",
      }),
    legacy_algorithms: z.array(z.enum(legacyAlgorithms)).optional().meta({
      description:
        'Algorithms of old servers that are offered beside the safe ones; each makes the connection weaker. Default: none of them.',
    }),
  })
  .meta({
    id: 'ssh',
    description: "How to log in. A host's own keys go before its stack's, and those before the ones at the top.",
  });

const edgeRuleSchema = z
  .strictObject({
    proto: z.enum(['tcp', 'udp', 'any']).optional().meta({ description: 'Default: any.' }),
    ports: z
      .array(portRange())
      .min(1)
      .optional()
      .meta({ description: 'Ports and ranges, such as 443 or "8000-8100". Left out: every port.' }),
    from: z
      .array(network())
      .min(1)
      .optional()
      .meta({ description: 'Networks that are let in, such as 0.0.0.0/0. Left out: from everywhere.' }),
  })
  .meta({ description: 'One thing that the firewall in front of the host lets in.' });

export const exposureSchema = z
  .union([
    z.enum(['auto', 'exposed', 'internal']),
    z.strictObject({
      public: z
        .union([z.literal('auto'), z.boolean()])
        .optional()
        .meta({
          description:
            'Whether the internet can route to the host. auto: by its addresses, the one dialled and what cloud-init was told. Default: auto.',
        }),
      edge: z.array(edgeRuleSchema).optional().meta({
        description:
          'What the cloud firewall in front of the host lets in; an empty list lets nothing in. Left out: everything.',
      }),
      ignore: z.array(portKey()).optional().meta({
        description:
          'Ports that do not count, as proto/port; they are shown as ignored. Default: [udp/68, udp/546], the DHCP clients.',
      }),
    }),
  ])
  .meta({
    id: 'exposure',
    description:
      "auto: evaluated from the host's own rules. exposed, internal: declared, nothing is evaluated. Or a mapping, which goes before the stack's key by key.",
  });

export const labelsSchema = z
  .record(checked(z.string(), readLabelName).meta({ pattern: labelNamePattern }), checked(z.string(), readLabelValue))
  .meta({ description: "The host's own labels. Values are text: quote what looks like a number, true or false." });

export const stackNameSchema = line(128);

export const hostSchema = z
  .strictObject({
    name: checked(z.string(), readHostName).meta({
      description: "The host's name, its `host` label. Unique over the whole inventory.",
    }),
    address: checked(z.string(), readAddress)
      .optional()
      .meta({ description: 'The name or IP address to dial. Default: the name.' }),
    stack: stackNameSchema
      .optional()
      .meta({ description: 'The stack that the host belongs to, its `stack` label. Default: default.' }),
    labels: labelsSchema.optional(),
    ssh: sshSchema.optional(),
    exposure: exposureSchema.optional(),
  })
  .meta({ id: 'host', description: 'One server.' });

export type SshInput = z.output<typeof sshSchema>;
export type ExposureInput = z.output<typeof exposureSchema>;
export type HostInput = z.output<typeof hostSchema>;
