/*
 * jails: from shell to nothing.
 *
 * Everything arrives on two descriptors of a jail: reports of its own processes, and the death of its
 * init. Reports come first where both are there, since the last report says why init died. A create that
 * finds no ready shell waits on its entry; whatever goes wrong before the jail runs is the answer to the
 * create, whatever happens after is an event.
 */
#include "supervisor/monitor/jails.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fds.h"
#include "base/links.h"
#include "base/log.h"
#include "sandbox/jail-slots.h"
#include "supervisor/monitor/shells.h"

#define REAP_AGAIN_USEC  10000
#define REAPS_MAX        100     /* failures of a kernel out of memory pass */
#define SHELL_DIED_USEC  1000000 /* a shell that dies by itself would die again at once */
#define REPORTS_PRIORITY (SD_EVENT_PRIORITY_NORMAL - 10) /* the words before the death */

static void close_inputs(Entry *entry) {
        for (unsigned i = 0; i < entry->n_layers; i++) {
                fds_close(&entry->layers[i].fd, 1);
                fds_close(&entry->layers[i].space, 1);
        }
        entry->n_layers = 0;
        fds_close(&entry->filter_fd, 1);
}

void entry_name(Entry *entry) {
        LINK_OUT(entry, next_shell, at_shell);
        entry->handle = ++entry->monitor->last_handle;
        handles_add(&entry->monitor->handles, &entry->link, entry->handle);
}

static void entry_free(Entry *entry) {
        LINK_OUT(entry, next, at);
        LINK_OUT(entry, next_shell, at_shell);
        entry->monitor->n_entries--;
        entry_set_large(entry, false);
        handles_remove(&entry->monitor->handles, &entry->link);
        sd_event_source_disable_unref(entry->reports);
        sd_event_source_disable_unref(entry->death);
        close_inputs(entry);
        jail_free(entry->jail);
        free(entry->request);
        free(entry);
}

static void unwatch(sd_event_source **source) {
        *source = sd_event_source_disable_unref(*source);
}

void entry_refuse(Entry *entry, const Error *err) {
        MonitorReply reply = { .kind = MONITOR_REPLY, .code = err->code };

        if (entry->asked) {
                reply.cookie = entry->request->head.cookie;
                memcpy(reply.text, err->text, sizeof reply.text);
                monitor_reply(entry->monitor, &reply, NULL, 0);
        }
        entry->asked = false;
        close_inputs(entry);
        unwatch(&entry->reports);
        (void) jail_kill(entry->jail);
}

static void answer(Entry *entry) {
        MonitorReply reply = { .kind = MONITOR_REPLY,
                               .cookie = entry->request->head.cookie,
                               .handle = entry->handle,
                               .id_base = jail_id_base(entry->jail),
                               .waited = entry->waited };
        int fds[_JAIL_FD_MAX];
        Error err = ERROR_EMPTY;
        unsigned n;

        if (jail_give_fds(entry->jail, fds, &err) < 0) {
                entry_refuse(entry, &err);
                return;
        }
        reply.present = fds_pack(fds, _JAIL_FD_MAX);
        n = (unsigned) __builtin_popcount(reply.present);
        entry->asked = false;
        entry->known = true;
        monitor_reply(entry->monitor, &reply, fds, n);
        fds_close(fds, n);
        entry_set_large(entry, false);
}

void entry_build(Entry *entry) {
        Error err = ERROR_EMPTY;
        int r;

        if (jail_state(entry->jail) != JAIL_SHELL) {
                entry->waited = true;
                return; /* on_report() comes back here */
        }
        r = jail_build(entry->jail, &entry->request->plan, entry->layers, entry->filter_fd, &err);
        close_inputs(entry);
        if (r < 0)
                entry_refuse(entry, &err);
}

static int on_report(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Entry *entry = userdata;
        Error err = ERROR_EMPTY;

        (void) source;
        (void) fd;
        (void) events;
        if (jail_dispatch(entry->jail, &err) < 0) {
                if (!entry->asked)
                        log_event(LOG_WARNING, "jail failed", F_ERR(&err));
                entry_refuse(entry, &err);
                return 0;
        }
        if (jail_state(entry->jail) == JAIL_SHELL && entry->asked)
                entry_build(entry);
        else if (jail_state(entry->jail) == JAIL_RUNNING && entry->asked)
                answer(entry);
        if (jail_state(entry->jail) >= JAIL_ENDING || jail_channel(entry->jail) < 0)
                unwatch(&entry->reports);
        return 0;
}

static void entry_ended(Entry *entry, int status) {
        MonitorReply event = { .kind = MONITOR_JAIL_ENDED,
                               .code = status,
                               .handle = entry->handle,
                               .oom_kills = jail_oom_kills(entry->jail) };
        Error err = ERROR_EMPTY;

        entry->ended = true;
        unwatch(&entry->reports);
        if (entry->asked) {
                (void) error_say(&err, -ECHILD, "the jail ended before it was ready");
                entry_refuse(entry, &err);
        }
        if (entry->known)
                monitor_reply(entry->monitor, &event, NULL, 0);
        if (entry->handle == 0)
                shells_refill(entry->monitor, SHELL_DIED_USEC);
        if (!entry->known || !entry->keep_upper)
                entry_free(entry);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata);

static void reap(Entry *entry) {
        Monitor *monitor = entry->monitor;
        Error err = ERROR_EMPTY;
        int status = 0, r;

        unwatch(&entry->death);
        r = jail_reap(entry->jail, &status, &err);
        if ((r == -EAGAIN || (r < 0 && entry->n_reaps++ < REAPS_MAX)) &&
            sd_event_add_time_relative(monitor->event, &entry->death, CLOCK_MONOTONIC,
                                       REAP_AGAIN_USEC, REAP_AGAIN_USEC / 4, on_again, entry) >= 0)
                return;
        if (r < 0)
                log_event(LOG_ERR, "jail not reaped whole", F_ERR(&err));
        entry_ended(entry, status);
        monitor_step(monitor);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        reap(userdata);
        return 0;
}

static int on_death(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void) source;
        (void) fd;
        (void) events;
        reap(userdata);
        return 0;
}

static int watch(Entry *entry, Error *err) {
        sd_event *event = entry->monitor->event;
        int fd = fcntl(jail_channel(entry->jail), F_DUPFD_CLOEXEC,
                       0); /* ours, whoever closes first */
        int r;

        if (fd < 0)
                return error_set(err, -errno, "watch a shell");
        r = sd_event_add_io(event, &entry->reports, fd, EPOLLIN, on_report, entry);
        if (r < 0) {
                (void) close(fd);
                return error_set(err, r, "watch a shell");
        }
        (void) sd_event_source_set_io_fd_own(entry->reports, true);
        (void) sd_event_source_set_description(entry->reports, "reports of a jail");
        (void) sd_event_source_set_priority(entry->reports, REPORTS_PRIORITY);
        r = sd_event_add_io(event, &entry->death, jail_pidfd(entry->jail), EPOLLIN, on_death,
                            entry);
        if (r < 0)
                return error_set(err, r, "watch a shell");
        (void) sd_event_source_set_description(entry->death, "death of a jail");
        return 0;
}

int entry_new_shell(Monitor *monitor, Entry *like, Entry **ret, Error *err) {
        Entry *entry;
        struct rlimit files = { 0, 0 };
        unsigned n = monitor->n_entries;
        int r;

        (void) getrlimit(RLIMIT_NOFILE, &files);
        if (n >= ENTRIES_MAX ||
            n * ENTRY_FDS + monitor->n_large * LARGE_FDS + OTHER_FDS >= files.rlim_cur)
                return error_say(err, -EUSERS, "%u jails are there: end one first", n);
        entry = calloc(1, sizeof *entry);
        if (!entry)
                return error_set(err, -ENOMEM, "make a shell");
        *entry = (Entry){ .monitor = monitor, .filter_fd = -EBADF };
        LINK_IN(monitor->entries, entry, next, at);
        LINK_IN(monitor->shells, entry, next_shell, at_shell);
        monitor->n_entries++;
        entry_set_large(entry, true);
        r = like ? jail_new_shell_like(like->jail, &entry->jail, err)
                 : jail_new_shell(monitor->sandbox, &entry->jail, err);
        if (r == 0)
                r = watch(entry, err);
        if (r < 0) {
                entry_free(entry);
                return r;
        }
        *ret = entry;
        return 0;
}

Entry *entry_find(const Monitor *monitor, uint64_t handle) {
        HandleLink *link = handles_find(&monitor->handles, handle);

        return link ? container_of(link, Entry, link) : NULL;
}

void entry_drop_upper(Entry *entry) {
        entry->keep_upper = false;
        if (entry->ended)
                entry_free(entry);
}

static bool shows(const Entry *entry, uint64_t handle, const uint8_t *digest) {
        const Plan *plan = entry->request ? &entry->request->plan : NULL;

        for (unsigned i = 0; plan && i < plan->n_layers; i++) {
                const PlanLayer *layer = &plan->layers[i];

                if (digest ? layer->kind == LAYER_STORE &&
                                     memcmp(layer->digest, digest, sizeof layer->digest) == 0
                           : (layer->kind == LAYER_UPPER || layer->kind == LAYER_NEW) &&
                                     layer->handle == handle)
                        return true;
        }
        return false;
}

bool entries_show(const Monitor *monitor, uint64_t handle, const uint8_t *digest) {
        const Entry *entry = monitor->entries;

        while (entry && !shows(entry, handle, digest))
                entry = entry->next;
        return entry != NULL;
}

void entries_kill(Monitor *monitor, bool shells) {
        for (Entry *entry = monitor->entries, *next; entry; entry = next) {
                next = entry->next;
                if (entry->handle == 0 && !shells)
                        continue;
                entry->asked = entry->known = false;
                if (entry->ended)
                        entry_free(entry);
                else
                        (void) jail_kill(entry->jail);
        }
}

void entries_free(Monitor *monitor) {
        while (monitor->entries)
                entry_free(monitor->entries);
}
