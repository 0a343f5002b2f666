/*
 * The verb "ssh-proxy": what ssh starts in place of a connection. All of it is warder-ssh's.
 */
#include "cli/verb-ssh-proxy.h"

#include <errno.h>

#include "cli/ssh-program.h"

typedef struct ProxyOptions {
        Common common;
} ProxyOptions;

static const Option proxy_options[] = { OPTIONS_COMMON, { 0 } };

static int run(const VerbCall *call, Error *err) {
        const ProxyOptions *options = call->options;
        const char *argv[6] = { "warder-ssh" };
        unsigned n = 1;

        if (call->n_words != 1 || options->common.json) {
                (void) error_say(err, -EINVAL,
                                 "Name one jail, without --json; 'warder ssh-config' writes the "
                                 "line in which ssh starts this.");
                return VERB_E_USAGE;
        }
        if (options->common.socket) {
                argv[n++] = "--socket";
                argv[n++] = options->common.socket;
        }
        argv[n++] = "--";
        argv[n++] = call->words[0];
        return ssh_program_become(argv, err);
}

const Verb verb_ssh_proxy = {
        .name = "ssh-proxy",
        .summary = "what ssh starts to reach a jail; see ssh-config",
        .synopsis = "JAIL|WORKSPACE",
        .text = "Speaks SSH on standard input and output, and is the host that the jail does not "
                "run. Nobody\n"
                "logs in: what it may do is what you may do at the supervisor's socket. A "
                "workspace that is\n"
                "stopped is started.",
        .examples = "  warder ssh-config demo >>~/.ssh/config\n"
                    "  ssh -o ProxyCommand='warder ssh-proxy demo' -o HostKeyAlias=warder "
                    "warder@demo",
        .exits = EXITS_PLAIN,
        .options = proxy_options,
        .size = sizeof(ProxyOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
