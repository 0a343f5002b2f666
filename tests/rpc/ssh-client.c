/*
 * ssh-client: an SSH client that asks what OpenSSH's would not: for tests of warder-ssh.
 *
 *     ssh-client PROXY-COMMAND what [argument]
 *
 * Each prints what came of it, one line a thing.
 */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 1000

typedef struct Ended {
        struct ssh_channel_callbacks_struct callbacks;
        int code;
        char signal[32];
} Ended;

static ssh_session session;
static Ended ends[CHANNELS]; /* of all channels that were opened, in order */
static ssh_channel opened[CHANNELS];
static unsigned n_opened;

static void must(int good, const char *what) {
        if (good)
                return;
        printf("failed: %s: %s\n", what, ssh_get_error(session));
        exit(1);
}

static void open_connection(const char *proxy) {
        const bool no = false;

        session = ssh_new();
        must(session && ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
                     ssh_options_set(session, SSH_OPTIONS_HOST, "warder") == 0 &&
                     ssh_options_set(session, SSH_OPTIONS_USER, "warder") == 0 &&
                     ssh_options_set(session, SSH_OPTIONS_PROXYCOMMAND, proxy) == 0,
             "options");
        must(ssh_connect(session) == SSH_OK, "connect");
}

static void log_in(void) {
        must(ssh_userauth_none(session, NULL) == SSH_AUTH_SUCCESS, "log in");
}

static void on_code(ssh_session s, ssh_channel channel, int code, void *userdata) {
        (void) s;
        (void) channel;
        ((Ended *) userdata)->code = code;
}

static void on_signal(ssh_session s, ssh_channel channel, const char *name, int core,
                      const char *text, const char *language, void *userdata) {
        (void) s;
        (void) channel;
        (void) core;
        (void) text;
        (void) language;
        snprintf(((Ended *) userdata)->signal, sizeof(((Ended *) userdata)->signal), "%s", name);
}

static ssh_channel open_channel(void) {
        ssh_channel channel = ssh_channel_new(session);
        Ended *ended = &ends[n_opened];

        must(channel && ssh_channel_open_session(channel) == SSH_OK, "open a channel");
        opened[n_opened++] = channel;
        ended->code = -1;
        ended->callbacks.userdata = ended;
        ended->callbacks.channel_exit_status_function = on_code;
        ended->callbacks.channel_exit_signal_function = on_signal;
        ssh_callbacks_init(&ended->callbacks);
        must(ssh_set_channel_callbacks(channel, &ended->callbacks) == SSH_OK, "callbacks");
        return channel;
}

/* Output and errors to our stdout until the end, then how it ended */
static void finish(ssh_channel channel) {
        char bytes[4096];
        unsigned i = 0;
        int n;

        while (opened[i] != channel)
                i++;
        while ((n = ssh_channel_read(channel, bytes, sizeof(bytes), 0)) > 0)
                fwrite(bytes, 1, (size_t) n, stdout);
        while ((n = ssh_channel_read(channel, bytes, sizeof(bytes), 1)) > 0)
                fwrite(bytes, 1, (size_t) n, stdout);
        while (!ssh_channel_is_closed(channel) && ssh_channel_poll_timeout(channel, 1000, 0) >= 0)
                ;
        printf("code %d signal %s\n", ends[i].code, ends[i].signal[0] ? ends[i].signal : "none");
        (void) ssh_remove_channel_callbacks(channel, &ends[i].callbacks);
}

static void wait_word(ssh_channel channel, const char *word) {
        char bytes[256];
        int n = ssh_channel_read(channel, bytes, (uint32_t) strlen(word), 0);

        must(n == (int) strlen(word) && strncmp(bytes, word, strlen(word)) == 0, word);
}

static void do_signal(const char *name) {
        ssh_channel channel = open_channel();

        must(ssh_channel_request_exec(channel, "trap 'echo heard; exit 9' TERM; echo ready; "
                                               "while :; do sleep 0.05; done") == SSH_OK,
             "exec");
        wait_word(channel, "ready\n");
        (void) ssh_channel_request_send_signal(channel, "NONSENSE");
        must(ssh_channel_request_send_signal(channel, name) == SSH_OK, "signal");
        finish(channel);
}

/* Before anybody can know that it has started */
static void do_early(const char *name) {
        ssh_channel channel = open_channel();

        must(ssh_channel_request_exec(channel, "sleep 1000") == SSH_OK, "exec");
        must(ssh_channel_request_send_signal(channel, name) == SSH_OK, "signal");
        finish(channel);
}

static void do_channels(const char *unused) {
        static ssh_channel all[CHANNELS];
        unsigned n = 0;
        ssh_channel last;

        (void) unused;
        for (unsigned i = 0; i < CHANNELS; i++) {
                all[i] = ssh_channel_new(session);
                n += ssh_channel_open_session(all[i]) == SSH_OK;
        }
        printf("opened %s\n", n == 0 ? "none" : n == CHANNELS ? "all" : "some");
        for (unsigned i = 0; i < CHANNELS; i++)
                ssh_channel_free(all[i]);
        last = open_channel();
        must(ssh_channel_request_exec(last, "echo still here") == SSH_OK, "exec");
        finish(last);
}

static void do_env(const char *unused) {
        static const char *const names[] = { "GOOD", "",        "A=B", "1A",  "B\001C",
                                             "D\nE", "\033[2J", "F G", "_ok9" };
        ssh_channel channel = open_channel();

        (void) unused;
        for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                printf("%u %d\n", i, ssh_channel_request_env(channel, names[i], "value") == SSH_OK);
        printf("bytes %d\n", ssh_channel_request_env(channel, "BYTES", "\377\376") == SSH_OK);
        must(ssh_channel_request_env(channel, "GOOD", "twice") == SSH_OK, "twice");
        must(ssh_channel_request_exec(channel, "echo $GOOD $_ok9; env | grep -c value") == SSH_OK,
             "exec");
        finish(channel);
}

static void do_size(const char *unused) {
        ssh_channel channel = open_channel();

        (void) unused;
        must(ssh_channel_change_pty_size(channel, 5, 5) != SSH_ERROR, "size without a terminal");
        must(ssh_channel_request_pty_size(channel, "xterm", -1, 0x7fffffff) == SSH_OK, "terminal");
        must(ssh_channel_request_exec(channel, "stty -echo; echo ready; read x; stty size") ==
                     SSH_OK,
             "exec");
        wait_word(channel, "ready\r\n");
        must(ssh_channel_change_pty_size(channel, 70000, -7) == SSH_OK, "size");
        must(ssh_channel_write(channel, "\n", 1) == 1, "a key");
        finish(channel);
}

static void do_bytes(const char *unused) {
        ssh_channel channel = open_channel();

        (void) unused;
        must(ssh_channel_request_exec(channel, "echo \377\376") == SSH_OK, "exec");
        printf("second %d\n", ssh_channel_request_exec(channel, "echo second") == SSH_OK);
        finish(channel);
}

/* More at once than a jail has places for */
static void do_many(const char *unused) {
        static ssh_channel all[100];

        (void) unused;
        for (unsigned i = 0; i < 100; i++) {
                all[i] = open_channel();
                must(ssh_channel_request_exec(all[i], "cat; echo done") == SSH_OK, "exec");
        }
        for (unsigned i = 0; i < 100; i++) {
                must(ssh_channel_send_eof(all[i]) == SSH_OK, "eof");
                finish(all[i]);
        }
}

static void do_refused(const char *unused) {
        ssh_channel channel = open_channel();

        (void) unused;
        printf("subsystem %d\n", ssh_channel_request_subsystem(channel, "nonsense") == SSH_OK);
        printf("x11 %d\n", ssh_channel_request_x11(channel, 0, NULL, NULL, 0) == SSH_OK);
        printf("listen %d\n", ssh_channel_listen_forward(session, "127.0.0.1", 0, NULL) == SSH_OK);
        must(ssh_channel_request_exec(channel, "echo after") == SSH_OK, "exec");
        finish(channel);
}

/* "HOST PORT": does it stand, and what does the other side say to a line and its end */
static void do_forward(const char *where) {
        ssh_channel channel = ssh_channel_new(session);
        char host[64] = "", bytes[256];
        int port = 0, n;

        must(sscanf(where, "%63s %d", host, &port) == 2, "where");
        if (ssh_channel_open_forward(channel, host, port, "127.0.0.1", 1) != SSH_OK) {
                printf("refused\n");
                ssh_channel_free(channel);
                return;
        }
        printf("stands\n");
        must(ssh_channel_write(channel, "hello\n", 6) == 6 &&
                     ssh_channel_send_eof(channel) == SSH_OK,
             "write");
        while ((n = ssh_channel_read(channel, bytes, sizeof(bytes), 0)) > 0)
                fwrite(bytes, 1, (size_t) n, stdout);
        printf("end\n");
}

static const struct {
        const char *name;
        void (*run)(const char *argument);
} rows[] = {
        { "signal", do_signal }, { "early", do_early },     { "channels", do_channels },
        { "env", do_env },       { "size", do_size },       { "bytes", do_bytes },
        { "many", do_many },     { "refused", do_refused }, { "forward", do_forward },
};

int main(int argc, char **argv) {
        if (argc < 3)
                return 2;
        open_connection(argv[1]);
        if (strcmp(argv[2], "unasked") == 0) {
                ssh_channel channel = ssh_channel_new(session);

                printf("opened %d\n", ssh_channel_open_session(channel) == SSH_OK);
                return 0;
        }
        log_in();
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (strcmp(rows[i].name, argv[2]) == 0)
                        rows[i].run(argc > 3 ? argv[3] : "");
        ssh_disconnect(session);
        ssh_free(session);
        return 0;
}
