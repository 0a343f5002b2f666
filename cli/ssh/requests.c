/*
 * requests: see requests.h. All of it is the client's word, which is trusted with nothing but its own jail; and
 * it is text that goes into JSON, so it must be UTF-8.
 */
#include "cli/ssh/requests.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "cli/ssh/server.h"
#include "cli/ssh/signals.h"
#include "cli/ssh/start.h"
#include "cli/verbs.h"

#define ENV_MAX      256 /* variables of one command */
#define VARIABLE_MAX 128 /* bytes of one's name */
#define TERM_MAX     64
#define REFUSED      1
#define SIDE_MAX     65535

/* Where images keep it; the first that can be executed */
static const char sftp_command[] = "for p in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh "
                                   "/usr/libexec /usr/lib/misc; do\n"
                                   "  [ -x $p/sftp-server ] && exec $p/sftp-server\n"
                                   "done\n"
                                   "echo \"warder: this jail has no sftp-server: install "
                                   "openssh-sftp-server in its snapshot, or\" \\\n"
                                   "     \"use 'scp -O' or 'warder cp'.\" >&2\n"
                                   "exit 127\n";

static bool is_name(const char *name) {
        size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

        return n > 0 && n <= VARIABLE_MAX && !name[n] && (name[0] < '0' || name[0] > '9');
}

static int set_variable(Lane *lane, const char *name, const char *value) {
        if (lane->state != LANE_OPEN || !is_name(name) || !utf8_is_valid(value, strlen(value)))
                return REFUSED;
        if (!lane->env)
                lane->env = cJSON_CreateObject();
        cJSON_DeleteItemFromObjectCaseSensitive(lane->env, name);
        if (cJSON_GetArraySize(lane->env) >= ENV_MAX)
                return REFUSED;
        return json_add_text(lane->env, name, value) ? 0 : REFUSED;
}

static int on_env(ssh_session session, ssh_channel ssh, const char *name, const char *value,
                  void *userdata) {
        (void) session;
        (void) ssh;
        return set_variable(userdata, name, value);
}

static unsigned short cut(int n) {
        return n < 0 ? 0 : n > SIDE_MAX ? SIDE_MAX : (unsigned short) n;
}

static void take_size(Lane *lane, int width, int height, int pixel_width, int pixel_height) {
        lane->size = (struct winsize){ .ws_row = cut(height),
                                       .ws_col = cut(width),
                                       .ws_xpixel = cut(pixel_width),
                                       .ws_ypixel = cut(pixel_height) };
}

static int on_pty(ssh_session session, ssh_channel ssh, const char *term, int width, int height,
                  int pixel_width, int pixel_height, void *userdata) {
        Lane *lane = userdata;

        (void) session;
        (void) ssh;
        if (lane->state != LANE_OPEN || lane->tty || strlen(term) > TERM_MAX)
                return REFUSED;
        lane->tty = true;
        take_size(lane, width, height, pixel_width, pixel_height);
        if (*term)
                (void) set_variable(lane, "TERM", term);
        return 0;
}

static int on_size(ssh_session session, ssh_channel ssh, int width, int height, int pixel_width,
                   int pixel_height, void *userdata) {
        Lane *lane = userdata;

        (void) session;
        (void) ssh;
        if (!lane->tty)
                return REFUSED;
        take_size(lane, width, height, pixel_width, pixel_height);
        if (lane->fds[0] >= 0)
                (void) ioctl(lane->fds[0], TIOCSWINSZ, &lane->size);
        return 0;
}

/* Words of a command; consumes @argv */
static int take_command(Lane *lane, cJSON *argv) {
        if (lane->state != LANE_OPEN || !argv) {
                (void) json_free(argv);
                return REFUSED;
        }
        lane->argv = argv;
        lane->state = LANE_WAITING;
        return 0;
}

static int take_line(Lane *lane, const char *line) {
        cJSON *argv = cJSON_CreateArray();

        if (!utf8_is_valid(line, strlen(line))) {
                (void) json_free(argv);
                if (lane->state != LANE_OPEN)
                        return REFUSED;
                lane_fail(lane, EXIT_RUN_FAILED,
                          "this command is no UTF-8, and cannot be asked for");
                return 0;
        }
        json_push_text(argv, "sh");
        json_push_text(argv, "-c");
        json_push_text(argv, line);
        return take_command(lane, argv);
}

static int on_exec(ssh_session session, ssh_channel ssh, const char *command, void *userdata) {
        (void) session;
        (void) ssh;
        return take_line(userdata, command);
}

/* Which one it is, is asked when its turn comes: its words are empty until then */
static int on_shell(ssh_session session, ssh_channel ssh, void *userdata) {
        (void) session;
        (void) ssh;
        return take_command(userdata, cJSON_CreateArray());
}

static int on_subsystem(ssh_session session, ssh_channel ssh, const char *name, void *userdata) {
        (void) session;
        (void) ssh;
        return strcmp(name, "sftp") == 0 ? take_line(userdata, sftp_command) : REFUSED;
}

static void on_signal(ssh_session session, ssh_channel ssh, const char *name, void *userdata) {
        int number = signal_number(name);

        (void) session;
        (void) ssh;
        if (number > 0)
                start_signal(userdata, number);
}

static int on_data(ssh_session session, ssh_channel ssh, void *data, uint32_t n, int is_stderr,
                   void *userdata) {
        Lane *lane = userdata;

        (void) session;
        (void) ssh;
        (void) data;
        if (is_stderr) /* no command has an input of that name */
                return (int) n;
        lane->readable = true;
        return 0;
}

static void on_eof(ssh_session session, ssh_channel ssh, void *userdata) {
        Lane *lane = userdata;

        (void) session;
        (void) ssh;
        lane->readable = true;
}

static void on_close(ssh_session session, ssh_channel ssh, void *userdata) {
        Lane *lane = userdata;

        (void) session;
        (void) ssh;
        lane->gone = true;
}

void requests_attach(Lane *lane) {
        lane->callbacks = (struct ssh_channel_callbacks_struct){
                .userdata = lane,
                .channel_data_function = on_data,
                .channel_eof_function = on_eof,
                .channel_close_function = on_close,
        };
        if (!lane->is_forward) {
                lane->callbacks.channel_pty_request_function = on_pty;
                lane->callbacks.channel_pty_window_change_function = on_size;
                lane->callbacks.channel_env_request_function = on_env;
                lane->callbacks.channel_shell_request_function = on_shell;
                lane->callbacks.channel_exec_request_function = on_exec;
                lane->callbacks.channel_subsystem_request_function = on_subsystem;
                lane->callbacks.channel_signal_function = on_signal;
        }
        ssh_callbacks_init(&lane->callbacks);
        (void) ssh_set_channel_callbacks(lane->ssh, &lane->callbacks);
}
