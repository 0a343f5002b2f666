/*
 * warder-ssh: speaks SSH on its stdin and stdout, and is the host that a jail does not run. "warder ssh-proxy"
 * becomes it; "warder ssh-config" has it make the key.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/options.h"
#include "base/owned.h"
#include "cli/ssh/host-key.h"
#include "cli/ssh/server.h"
#include "cli/terminal.h"

typedef struct Options {
        const char *socket;
        bool make_key;
        bool help;
} Options;

static const Option options_table[] = {
        { "socket", 0, OPTION_TEXT, offsetof(Options, socket), "PATH",
          "Ask the supervisor at this socket" },
        { "make-key", 0, OPTION_FLAG, offsetof(Options, make_key), NULL,
          "Make the host key and the file that ssh checks it by, and end" },
        { "help", 'h', OPTION_FLAG, offsetof(Options, help), NULL, "Show this text" },
        { 0 },
};

/* Asks @method of the jail; @ret_stopped: whether its state is that */
static int ask_jail(Link *link, const char *method, const char *jail, bool *ret_stopped,
                    Error *err) {
        Ask ask = { .method = method, .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        const char *state;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        state = r == 0 ? json_text(answer.result, "state") : NULL;
        *ret_stopped = state && strcmp(state, "stopped") == 0;
        answer_deinit(&answer);
        return r > 0 ? -EREMOTEIO : r;
}

static int wake(Link *link, const char *jail, Error *err) {
        bool is_stopped = false;
        int r = ask_jail(link, "jail.show", jail, &is_stopped, err);

        return r == 0 && is_stopped ? ask_jail(link, "jail.start", jail, &is_stopped, err) : r;
}

static int serve(const Options *options, const char *jail, Error *err) {
        static Server server = { .link = LINK_EMPTY };
        SshPlaces places;
        ssh_key key = NULL;
        int r = ssh_places_find(&places, err);

        if (r == 0)
                r = host_key_load(&places, &key, err);
        if (r == 0)
                r = link_open(&server.link, options->socket, err);
        if (r == 0)
                r = wake(&server.link, jail, err);
        if (r == 0) {
                r = server_open(&server, jail, TAKE_PTR(key), err);
                if (r == 0)
                        r = server_run(&server, err);
                server_close(&server);
        }
        ssh_key_free(key);
        link_deinit(&server.link);
        return r;
}

static int make_key(Error *err) {
        SshPlaces places;
        int r = ssh_places_find(&places, err);

        return r < 0 ? r : host_key_make(&places, err);
}

int main(int argc, char **argv) {
        Options options = { 0 };
        Error err = ERROR_EMPTY;
        int rest = 0, r;

        if (fds_fill_standard() < 0)
                return 1;
        (void) signal(SIGPIPE, SIG_IGN);
        if (options_parse(options_table, argc, argv, false, &options, &rest, &err) < 0 ||
            options.help || argc - rest != (options.make_key ? 0 : 1)) {
                autofree char *help = options_help(options_table);

                fprintf(stderr, "%s%susage: warder-ssh [OPTION…] JAIL\n%s", err.text,
                        err.text[0] ? "\n" : "", help ? help : "");
                return options.help ? 0 : 2;
        }
        r = options.make_key ? make_key(&err) : serve(&options, argv[rest], &err);
        if (r < 0)
                terminal_say("%s", err.text);
        return r < 0 ? 1 : 0;
}
