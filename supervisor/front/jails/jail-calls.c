/*
 * jail-calls: see jail-calls.h.
 */
#include "supervisor/front/jails/jail-calls.h"

#include <limits.h>
#include <string.h>

#include "base/fds.h"
#include "supervisor/front/jails/init-link.h"
#include "supervisor/front/jails/jails.h"

typedef struct JailCall {
        JailOpenFn opened;
        JailListenFn listening;
        void *userdata;
} JailCall;

static void on_event(const InitEvent *event, int *fds, unsigned n_fds, void *userdata) {
        autofree JailCall *call = userdata;
        Error err = ERROR_EMPTY;
        autoclose int fd = -EBADF;
        uint64_t value = 0;

        if (!event)
                error_say(&err, -EPIPE, "the jail ended");
        else if (event->code < 0)
                error_set(&err, event->code,
                          call->opened ? "open in the jail" : "listen in the jail");
        else if (n_fds != 1)
                error_say(&err, -EPROTO, "the jail's init sent no descriptor");
        else if (fds[0] < 0)
                error_say(&err, -ENOTSUP,
                          "what serves the file may keep whoever closes it waiting, so it is not "
                          "handed over: copy it by a command");
        else {
                fd = TAKE_FD(fds[0]);
                value = event->value;
        }
        if (call->opened)
                call->opened(TAKE_FD(fd), value, err.code ? &err : NULL, call->userdata);
        else
                call->listening(TAKE_FD(fd), (uint32_t) value, err.code ? &err : NULL,
                                call->userdata);
}

static int send_call(FrontJail *jail, const JailCall *call, void *bytes, size_t n, Error *err) {
        const InitMessage message = { bytes, n, NULL, 0 };
        autofree JailCall *kept = NULL;
        int r;

        if (front_jail_state(jail) != FRONT_JAIL_READY)
                return error_say(err, -ESRCH, "jail %s is not running", front_jail_id(jail));
        kept = malloc(sizeof *kept);
        if (!kept)
                return error_set(err, -ENOMEM, "ask jail %s", front_jail_id(jail));
        *kept = *call;
        r = init_link_send(front_jail_init(jail), &message, on_event, kept, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(kept);
        return 0;
}

int front_jail_open(FrontJail *jail, const OpenSpec *spec, JailOpenFn done, void *userdata,
                    Error *err) {
        const JailCall call = { .opened = done, .userdata = userdata };
        struct {
                InitOpen open;
                char path[PATH_MAX];
        } message = { .open = { .flags = spec->flags, .mode = spec->mode } };
        size_t n = strlen(spec->path) + 1;

        if (n > sizeof message.path || spec->path[0] != '/')
                return error_say(err, -EINVAL, "path must be absolute and below %d bytes",
                                 PATH_MAX);
        memcpy(message.path, spec->path, n);
        message.open.head.kind = INIT_OPEN;
        message.open.head.blob = (uint32_t) n;
        front_jail_touch(jail);
        message.open.uid = spec->uid;
        message.open.gid = spec->gid;
        return send_call(jail, &call, &message, sizeof message.open + n, err);
}

int front_jail_listen(FrontJail *jail, uint32_t port, JailListenFn done, void *userdata,
                      Error *err) {
        const JailCall call = { .listening = done, .userdata = userdata };
        InitListen message = { .head.kind = INIT_LISTEN, .port = port };

        return send_call(jail, &call, &message, sizeof message, err);
}
