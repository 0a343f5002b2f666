/*
 * The verb "ssh-config": what OpenSSH's client must be told to reach a jail. It names a program and two files, no
 * address and no password.
 */
#include "cli/verb-ssh-config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/events.h"
#include "cli/link.h"
#include "cli/ssh-places.h"
#include "cli/ssh-program.h"

#define COMMAND_MAX 4096
#define HOST_MAX    128
#define HOST_PREFIX "warder-"

typedef struct ConfigOptions {
        Common common;
        OptionList names;
} ConfigOptions;

static const Option config_options[] = {
        { "name", 0, OPTION_LIST, offsetof(ConfigOptions, names), "HOST",
          "What ssh is to call it (default: warder- and the jail's name); once for each, in "
          "order" },
        OPTIONS_COMMON,
        { 0 },
};

/* ---- words of the configuration ------------------------------------------------------------------- */

static bool is_plain(const char *text) {
        return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-")] == 0;
}

static bool is_host(const char *text) {
        return *text && *text != '-' && strlen(text) < HOST_MAX && is_plain(text);
}

/* No line of a file of ours may end where a path of the caller's says so */
static bool has_control(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < ' ' || *text == 0x7f)
                        return true;
        return false;
}

/* For the shell that ssh gives it to, and with ssh's own sign doubled */
static int add_word(Buf *line, const char *word) {
        int r = buf_printf(line, "%s'", line->len > 0 ? " " : "");

        for (; r == 0 && *word; word++)
                r = *word == '\''  ? buf_printf(line, "'\\''")
                    : *word == '%' ? buf_printf(line, "%%%%")
                                   : buf_append(line, word, 1);
        return r < 0 ? r : buf_printf(line, "'");
}

/* A path in double quotes; ssh replaces what begins with % and ${ in it */
static int add_path(Buf *line, const char *path, Error *err) {
        int r = strchr(path, '"') || strchr(path, '\\') || strstr(path, "${") || has_control(path)
                        ? -EINVAL
                        : buf_printf(line, "\"");

        for (; r == 0 && *path; path++)
                r = *path == '%' ? buf_printf(line, "%%%%") : buf_append(line, path, 1);
        if (r == 0)
                r = buf_printf(line, "\"");
        return r < 0 ? error_say(err, r, "The name of the state directory cannot be told to ssh.")
                     : 0;
}

static const char *socket_of(const ConfigOptions *options) {
        const char *named =
                options->common.socket ? options->common.socket : getenv("WARDER_SOCKET");

        return named && *named ? named : NULL;
}

/* What names the supervisor where no socket does: ssh is started without it */
static int add_environment(Buf *line, Error *err) {
        static const char *const names[] = { "WARDER_INSTANCE", "WARDER_STATE", "WARDER_CONFIG",
                                             "WARDER_POLICIES", "WARDER_DATA",  "WARDER_LIBEXEC" };
        int r = 0;

        for (unsigned i = 0; r == 0 && i < ELEMENTS(names); i++) {
                char word[SSH_PLACE_MAX + 32];
                const char *value = getenv(names[i]);

                if (!value || !*value)
                        continue;
                if (has_control(value) ||
                    snprintf(word, sizeof(word), "%s=%s", names[i], value) >= (int) sizeof(word))
                        return error_say(err, -EINVAL, "The value of %s cannot be told to ssh.",
                                         names[i]);
                if (line->len == 0)
                        r = buf_printf(line, "env");
                if (r == 0)
                        r = add_word(line, word);
        }
        return r;
}

/* This very program: an editor's PATH need not have it */
static int add_proxy(Buf *line, const ConfigOptions *options, const char *jail, Error *err) {
        char self[SSH_PLACE_MAX];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        const char *socket = socket_of(options);
        int r;

        if (n < 0)
                return error_set(err, -errno, "find this program");
        self[n] = 0;
        if (has_control(self) || (socket && has_control(socket)))
                return error_say(err, -EINVAL, "A path with control bytes cannot be told to ssh.");
        r = socket ? 0 : add_environment(line, err);
        if (r < 0)
                return r;
        r = add_word(line, self);
        if (r == 0)
                r = buf_printf(line, " ssh-proxy");
        if (r == 0 && socket) {
                r = buf_printf(line, " --socket");
                if (r == 0)
                        r = add_word(line, socket);
        }
        if (r == 0)
                r = buf_printf(line, " -- %s", jail);
        return r < 0 ? error_say(err, r, "The path of the socket is too long.") : 0;
}

/* ---- one host ------------------------------------------------------------------------------------- */

typedef struct Host {
        char name[HOST_MAX];
        const char *jail; /* borrowed */
        Buf proxy, known_hosts;
} Host;

static void print(const Host *host) {
        printf("Host %s\n"
               "    HostName %s\n"
               "    User " SSH_USER "\n"
               "    ProxyCommand %s\n"
               "    ProxyUseFdpass no\n"
               "    HostKeyAlias " SSH_HOST_ALIAS "\n"
               "    UserKnownHostsFile %s\n"
               "    GlobalKnownHostsFile /dev/null\n"
               "    StrictHostKeyChecking yes\n"
               "    UpdateHostKeys no\n"
               "    HostKeyAlgorithms ssh-ed25519\n"
               "    PreferredAuthentications none\n"
               "    ForwardAgent no\n"
               "    ForwardX11 no\n",
               host->name, host->jail, host->proxy.data, host->known_hosts.data);
}

static void print_json(const Host *host) {
        cJSON *event = cJSON_CreateObject();

        json_add_text(event, "host", host->name);
        json_add_text(event, "jail", host->jail);
        json_add_text(event, "user", SSH_USER);
        json_add_text(event, "proxy_command", host->proxy.data);
        json_add_text(event, "host_key_alias", SSH_HOST_ALIAS);
        json_add_text(event, "known_hosts", host->known_hosts.data);
        events_result(event);
        (void) json_free(event);
}

static int ask_jail(Link *link, const char *jail, Error *err) {
        Ask ask = { .method = "jail.show", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        answer_deinit(&answer);
        return r > 0 ? -EREMOTEIO : r;
}

static int make_host(const ConfigOptions *options, const SshPlaces *places, const char *name,
                     Host *host, Error *err) {
        int r = add_proxy(&host->proxy, options, host->jail, err);

        (void) snprintf(host->name, sizeof(host->name), "%s%s", name ? "" : HOST_PREFIX,
                        name ? name : host->jail);
        return r < 0 ? r : add_path(&host->known_hosts, places->known_hosts, err);
}

static int show_host(const ConfigOptions *options, const SshPlaces *places, const char *name,
                     const char *jail, Error *err) {
        Host host = { .jail = jail,
                      .proxy = BUF_EMPTY(COMMAND_MAX),
                      .known_hosts = BUF_EMPTY(COMMAND_MAX) };
        int r = make_host(options, places, name, &host, err);

        if (r == 0 && options->common.json)
                print_json(&host);
        else if (r == 0)
                print(&host);
        buf_deinit(&host.proxy);
        buf_deinit(&host.known_hosts);
        return r;
}

/* ---- the verb ------------------------------------------------------------------------------------- */

static int check_words(const VerbCall *call, Error *err) {
        const ConfigOptions *options = call->options;

        if (call->n_words < 1)
                return error_say(err, -EINVAL, "No jail was named; 'warder ls --all' lists them.");
        if (options->names.n > (unsigned) call->n_words)
                return error_say(err, -EINVAL, "There are more names than jails.");
        for (int i = 0; i < call->n_words; i++)
                if (!is_host(call->words[i]))
                        return error_say(err, -EINVAL, "'%.80s' is the name of no jail.",
                                         call->words[i]);
        for (unsigned i = 0; i < options->names.n; i++)
                if (!is_host(options->names.items[i]))
                        return error_say(err, -EINVAL,
                                         "'%.80s' cannot be the name of a host: use letters, "
                                         "digits, '.', '_' and '-'.",
                                         options->names.items[i]);
        return 0;
}

/* All of them are there, or nothing is printed */
static int look(const VerbCall *call, const ConfigOptions *options, Error *err) {
        Link link = LINK_EMPTY;
        int r = link_open(&link, options->common.socket, err);

        for (int i = 0; r == 0 && i < call->n_words; i++)
                r = ask_jail(&link, call->words[i], err);
        link_deinit(&link);
        return r;
}

static int run(const VerbCall *call, Error *err) {
        const char *const make_key[] = { "warder-ssh", "--make-key", NULL };
        const ConfigOptions *options = call->options;
        SshPlaces places;
        int r;

        if (check_words(call, err) < 0)
                return VERB_E_USAGE;
        r = ssh_places_find(&places, err);
        if (r == 0)
                r = look(call, options, err);
        if (r == 0)
                r = ssh_program_run(make_key, err);
        if (r != 0) /* the program has said why */
                return r;
        for (int i = 0; r == 0 && i < call->n_words; i++)
                r = show_host(options, &places,
                              (unsigned) i < options->names.n ? options->names.items[i] : NULL,
                              call->words[i], err);
        return r;
}

const Verb verb_ssh_config = {
        .name = "ssh-config",
        .summary = "what ssh must know to reach a jail: for editors, scp, rsync, git",
        .synopsis = "[--name HOST…] JAIL|WORKSPACE…",
        .text = "Prints configuration for OpenSSH's client: append it to ~/.ssh/config, or use it "
                "with\n"
                "ssh -F. Nothing runs in the jail for it, nothing listens, and no password is "
                "asked for:\n"
                "who may use the supervisor's socket and owns the jail gets in.",
        .examples = "  warder ssh-config demo >>~/.ssh/config; ssh warder-demo\n"
                    "  warder ssh-config --name box j-7f3kq2m4ab >cfg; ssh -F cfg box make\n"
                    "  ssh -L 8080:localhost:8000 warder-demo",
        .exits = EXITS_PLAIN,
        .options = config_options,
        .size = sizeof(ConfigOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
