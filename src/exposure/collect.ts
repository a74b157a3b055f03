import { SECTION } from './section-names';
import { readFirewallPath } from './privilege';

/**
 * Shell functions that both scripts use. Files are read below `$R`, tools are called by their absolute path (a login
 * without a shell profile has no /usr/sbin in its PATH), and what needs root goes through `exposure_root`.
 */
const common = `
  exposure_uid=
  while read -r exposure_key _ exposure_uid _ && [ "$exposure_key" != Uid: ]; do :; done </proc/self/status

  # exposure_tool NAME: the absolute path of a tool; fails when it is not installed.
  exposure_tool() {
    for exposure_dir in /usr/sbin /sbin /usr/bin /bin /usr/local/sbin /run/current-system/sw/bin; do
      if [ -x "$R$exposure_dir/$1" ]; then
        printf '%s\\n' "$R$exposure_dir/$1"
        return 0
      fi
    done
    return 1
  }

  # exposure_may WORD TOOL ARG...: whether sudo may be used for this, asked without running anything.
  # The root-owned wrapper goes first: one line in sudoers, and it takes fixed words only.
  exposure_may() {
    [ -n "$sudo" ] && [ "$exposure_uid" != 0 ] || return 1
    exposure_word=$1
    shift
    if [ -x "$R${readFirewallPath}" ] && $sudo -l "$R${readFirewallPath}" "$exposure_word" >/dev/null 2>&1; then
      exposure_way=wrapper
    elif $sudo -l "$@" >/dev/null 2>&1; then
      exposure_way=direct
    else
      return 1
    fi
  }

  # exposure_root WORD TOOL ARG...: runs a reading command as root where that is allowed, otherwise as it is.
  # 127 says that the tool is not installed.
  exposure_root() {
    exposure_path=$(exposure_tool "$2") || return 127
    exposure_key=$1
    shift 2
    if exposure_may "$exposure_key" "$exposure_path" "$@"; then
      case $exposure_way in
        wrapper) $sudo "$R${readFirewallPath}" "$exposure_key" ;;
        *) $sudo "$exposure_path" "$@" ;;
      esac
    else
      "$exposure_path" "$@"
    fi
  }

  # exposure_module NAME [FILE]: absent only if the kernel has it neither loaded nor built in, and says so; or if it
  # makes a file for everybody to see (not to read), and there is none.
  exposure_module() {
    if [ -n "\${2:-}" ] && [ -e "$R/proc/net/tcp" ] && [ ! -e "$R$2" ]; then
      echo absent
    elif [ -d "$R/sys/module/$1" ] || grep -q "^$1 " "$R/proc/modules" 2>/dev/null; then
      echo present
    elif [ -r "$R/proc/modules" ] && [ -r "$exposure_builtin" ] && ! grep -q "/$1[.]ko" "$exposure_builtin"; then
      echo absent
    else
      echo unknown
    fi
  }
  IFS= read -r exposure_release <"$R/proc/sys/kernel/osrelease" || exposure_release=
  exposure_builtin="$R/lib/modules/$exposure_release/modules.builtin"
`;

/**
 * The body of a shell function that prints the sections about sockets, addresses, routes and firewall. POSIX sh, tested
 * on dash, bash and BusyBox. It reads only: no table is made, no module is loaded for a firewall that is not there.
 */
export const exposureScript: string = `${common}
  # Header and listening rows only: a host may have 100,000 connections. No file, no such protocol.
  exposure_sockets() {
    if [ ! -e "$R/proc/net/$1" ] && [ -e "$R/proc/net/tcp" ]; then return 0; fi
    sed -n -e 1p -e "/^ *[0-9]*: [0-9A-Fa-f]*:[0-9A-Fa-f]* [0-9A-Fa-f]*:[0-9A-Fa-f]* $2 /p" "$R/proc/net/$1"
  }

  # A router with a full table has a million routes; only the default ones would matter of them.
  exposure_routes() {
    exposure_count=$(wc -l <"$R/proc/net/$1" 2>/dev/null || echo 0)
    [ "$exposure_count" -le 20000 ] || return 75
    shift
    "$exposure_ip" \${exposure_json:+"$exposure_json"} "$@"
  }

  exposure_sysctls() {
    for exposure_file in "$R"/proc/sys/net/ipv4/ip_forward "$R"/proc/sys/net/ipv6/bindv6only \\
      "$R"/proc/sys/net/ipv4/tcp_l3mdev_accept "$R"/proc/sys/net/ipv4/udp_l3mdev_accept \\
      "$R"/proc/sys/net/ipv6/conf/all/forwarding "$R"/proc/sys/net/ipv4/conf/*/rp_filter \\
      "$R"/proc/sys/net/ipv4/conf/*/route_localnet "$R"/proc/sys/net/ipv4/conf/*/forwarding \\
      "$R"/proc/sys/net/ipv6/conf/*/force_forwarding; do
      [ -e "$exposure_file" ] || continue
      # dash reads byte by byte, and the kernel gives a number's file no second byte: that is no failure (proc_dointvec).
      exposure_value=
      IFS= read -r exposure_value <"$exposure_file" || [ -n "$exposure_value" ] || continue
      printf '%s = %s\\n' "\${exposure_file#"$R"/proc/sys/}" "$exposure_value"
    done
  }

  exposure_kernel() {
    printf 'nf_tables %s\\nip_tables %s\\nip6_tables %s\\nip_vs %s\\n' \\
      "$exposure_nft" "$exposure_ip4" "$exposure_ip6" "$(exposure_module ip_vs /proc/net/ip_vs)"
  }

  # The old program lists the old tables, the new one those in nf_tables: it would load that to find nothing.
  exposure_save() {
    if [ "$exposure_nft" = absent ]; then
      exposure_saver=$(exposure_tool "$2") || return 127
      case $("$exposure_saver" -V 2>/dev/null) in *nf_tables*) return 0 ;; esac
      [ "$3" != absent ] || return 0
    fi
    exposure_root "$1" "$2"
  }

  exposure_nft=$(exposure_module nf_tables)
  exposure_ip4=$(exposure_module ip_tables /proc/net/ip_tables_names)
  exposure_ip6=$(exposure_module ip6_tables /proc/net/ip6_tables_names)

  section ${SECTION.tcp} exposure_sockets tcp 0A
  section ${SECTION.tcp6} exposure_sockets tcp6 0A
  section ${SECTION.udp} exposure_sockets udp 07
  section ${SECTION.udp6} exposure_sockets udp6 07
  section ${SECTION.udplite} exposure_sockets udplite 07
  section ${SECTION.udplite6} exposure_sockets udplite6 07
  if exposure_ss=$(exposure_tool ss); then section ${SECTION.ss} "$exposure_ss" -tuln -e; fi

  if exposure_ip=$(exposure_tool ip); then
    exposure_json=-j
    "$exposure_ip" -j link show lo >/dev/null 2>&1 || exposure_json=
    section ${SECTION.addresses} "$exposure_ip" \${exposure_json:+"$exposure_json"} addr show
    [ -z "$exposure_json" ] || section ${SECTION.links} "$exposure_ip" -j -d link show
    section ${SECTION.routes4} exposure_routes route -4 route show table all
    section ${SECTION.routes6} exposure_routes ipv6_route -6 route show table all
    section ${SECTION.rules4} "$exposure_ip" \${exposure_json:+"$exposure_json"} -4 rule show
    section ${SECTION.rules6} "$exposure_ip" \${exposure_json:+"$exposure_json"} -6 rule show
  else
    section ${SECTION.procFibTrie} cat "$R/proc/net/fib_trie"
    section ${SECTION.procIfInet6} cat "$R/proc/net/if_inet6"
    section ${SECTION.procRoute} cat "$R/proc/net/route"
    section ${SECTION.procRoute6} cat "$R/proc/net/ipv6_route"
  fi

  section ${SECTION.sysctls} exposure_sysctls
  section ${SECTION.kernel} exposure_kernel

  if [ "$exposure_nft" != absent ]; then
    section ${SECTION.nftJson} exposure_root nft-json nft -j list ruleset
    section ${SECTION.nftText} exposure_root nft-text nft list ruleset
  fi
  section ${SECTION.iptables4} exposure_save iptables-save iptables-save "$exposure_ip4"
  section ${SECTION.iptables6} exposure_save ip6tables-save ip6tables-save "$exposure_ip6"
  # Saving lists what is there; "iptables-legacy -S" would make a table first.
  if [ "$exposure_ip4" != absent ]; then
    section ${SECTION.legacyNames4} exposure_root ip-tables-names cat "$R/proc/net/ip_tables_names"
    section ${SECTION.legacy4} exposure_root iptables-legacy-save iptables-legacy-save
  fi
  if [ "$exposure_ip6" != absent ]; then
    section ${SECTION.legacyNames6} exposure_root ip6-tables-names cat "$R/proc/net/ip6_tables_names"
    section ${SECTION.legacy6} exposure_root ip6tables-legacy-save ip6tables-legacy-save
  fi
  section ${SECTION.ipsets} exposure_root ipset-save ipset save
  if [ -e "$R/proc/net/ip_vs" ]; then section ${SECTION.ipvs} cat "$R/proc/net/ip_vs"; fi
  if [ -e "$R/run/cloud-init/instance-data.json" ]; then
    section ${SECTION.cloud} cat "$R/run/cloud-init/instance-data.json"
  fi
  if [ -e "$R/etc/ufw/ufw.conf" ]; then section ${SECTION.ufw} cat "$R/etc/ufw/ufw.conf"; fi
`;

/**
 * The body of a shell function that prints two checksums: of the listening sockets (without the UDP ports that clients
 * choose and drop), and of the ruleset without counters and set elements, or `-` where it may not be read. When the text
 * differs from the last one, the whole is worth reading at once.
 */
export const exposureFingerprintScript: string = `${common}
  exposure_listening() {
    sed -n 's/^ *[0-9]*: \\([0-9A-Fa-f]*:[0-9A-Fa-f]*\\) [0-9A-Fa-f:]* 0A .*/tcp \\1/p' \\
      "$R/proc/net/tcp" "$R/proc/net/tcp6" 2>/dev/null
    sed -n 's/^ *[0-9]*: \\([0-9A-Fa-f]*:[0-7][0-9A-Fa-f]*\\) [0-9A-Fa-f:]* 07 .*/udp \\1/p' \\
      "$R/proc/net/udp" "$R/proc/net/udp6" 2>/dev/null
  }

  # Without what differs although nothing has changed: counters and the time of the listing.
  exposure_settled() {
    sed -e '/^#/d' -e 's/ *\\[[0-9]*:[0-9]*\\] *//'
  }

  # To root an empty list of names says that there are no such tables; /proc gives all its files the size 0.
  exposure_legacy_rules() {
    if [ "$exposure_uid" = 0 ] &&
      [ -z "$(cat "$R/proc/net/ip_tables_names" "$R/proc/net/ip6_tables_names" 2>/dev/null)" ]; then return 0; fi
    { exposure_root iptables-legacy-save iptables-legacy-save; exposure_root ip6tables-legacy-save ip6tables-legacy-save; } 2>/dev/null |
      exposure_settled
  }

  # nft shows of some of iptables' matches no more than the name: then iptables has to tell the rest.
  exposure_nft_rules() {
    exposure_outline=$(exposure_root nft-outline nft -s -t list ruleset 2>/dev/null)
    printf '%s\\n' "$exposure_outline"
    case $exposure_outline in
      *'xt match'* | *'xt target'* | *'# xt_'*)
        { exposure_root iptables-save iptables-save; exposure_root ip6tables-save ip6tables-save; } 2>/dev/null |
          exposure_settled
        ;;
    esac
  }

  printf 'sockets %s\\n' "$(exposure_listening | sort | cksum)"
  exposure_rules=
  if [ "$(exposure_module nf_tables)" = absent ]; then
    exposure_rules=none
  elif exposure_path=$(exposure_tool nft) &&
    { [ "$exposure_uid" = 0 ] || exposure_may nft-outline "$exposure_path" -s -t list ruleset; }; then
    exposure_rules=$(exposure_nft_rules | cksum)
  fi
  if [ -n "$exposure_rules" ] && [ "$(exposure_module ip_tables /proc/net/ip_tables_names)" != absent ]; then
    exposure_rules="$exposure_rules $(exposure_legacy_rules | cksum)"
  fi
  printf 'ruleset %s\\n' "\${exposure_rules:--}"
`;
