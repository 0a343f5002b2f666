#!/bin/sh
# what a person reads of a refusal: the option that was typed, and the range in its unit, not the protocol's words
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
cd "$scratch" || exit 1

refused() { # refused WORDS... -- SENTENCE
        words=
        while [ "$1" != -- ]; do
                words="$words $1"
                shift
        done
        # shellcheck disable=SC2086
        expect 1 "$words: refused" warder $words
        is "$err" "warder: $2" "$words: in words of the command line"
}

jail=$(warder create --no-work --time 10m)
refused create --persistent small --disk 1M -- "must be from 32 MiB to 4 TiB (at --disk)"
refused create --persistent small --idle-stop 1ms -- "must be from 1.0 s to 87600 h (at --idle-stop)"
refused create --persistent small --ttl 1ms -- "must be from 1.0 s to 87600 h (at --ttl)"
refused fork -n 65 "$jail" -- "must be from 1 to 64 (at --number)"
refused pool set host default 10000 -- "must be from 0 to 256 (at N)"
refused stats --interval 2h "$jail" -- "must be from 0 us to 1 h (at --interval)"
refused pool set nosuch default 1 -- "there is no snapshot nosuch: see \`warder snapshot list\`, or make it with \`warder snapshot import\`"
refused pool set host nosuch 1 -- "there is no policy nosuch: see \`warder policy list\`"
refused policy show nosuch -- "there is no policy nosuch: see \`warder policy list\`"
refused create --no-work -p nosuch -- "there is no policy nosuch: see \`warder policy list\` (at --policy)"
refused pool set host default 0 -- "there is no pool of host with policy default: see \`warder pool show\`"
warder rm "$jail"
nothing_left "after it all"
done_testing
