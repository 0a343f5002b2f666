/*
 * jails: see jails.h.
 *
 * The monitor builds a jail and ends it; the front decides when. A jail's struct lives from
 * front_jail_new() until the monitor says that nothing of it is left (MONITOR_JAIL_ENDED), whoever ended
 * it: the client that went away, a limit, a request, or init's own death. Everybody who waits for
 * something of the jail is told from front_jail_ended(), once, in this order: commands, calls, then those
 * who wait for its end.
 */
#include "supervisor/front/jails/jails.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/closer.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/commands/uncounted.h"
#include "supervisor/front/jails/jail-facts.h"
#include "supervisor/front/jails/jail-handover.h"
#include "supervisor/front/jails/jail-stats.h"
#include "supervisor/front/jails/jail-wall.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/jail-quotas.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers-on-disk.h"
#include "supervisor/front/store/layers.h"

static const uint8_t state_next[_FRONT_JAIL_STATE_MAX] = {
        [FRONT_JAIL_MAKING] = BIT(FRONT_JAIL_READY) | BIT(FRONT_JAIL_ENDING),
        [FRONT_JAIL_READY] = BIT(FRONT_JAIL_ENDING),
};

static void count_no_more(FrontJail *jail) {
        if (jail->charged && !jail->off_quota)
                quota_end_jail(jail->front, jail->owner_uid, &jail->limits.plan);
        jail->off_quota = true;
}

static void set_state(FrontJail *jail, FrontJailState state) {
        if (!(state_next[jail->state] & BIT(state)))
                return;
        jail->state = state;
        if (state == FRONT_JAIL_ENDING)
                count_no_more(jail);
        log_event(LOG_INFO, "jail changes state", F("JAIL", jail->id),
                  F("STATE", jail_state_name(state)), F("POLICY", jail->policy),
                  F("SNAPSHOT", jail->snapshot));
}

static void on_client_gone(Client *client, void *userdata);

static void release_conn(FrontJail *jail) {
        if (jail->conn >= 0)
                closer_release_socket(jail->front->closer, jail->owner_uid, TAKE_FD(jail->conn));
}

/* Leaves everything; pending callbacks must have been called. */
static FrontJail *jail_free(FrontJail *jail) {
        if (!jail)
                return NULL;
        if (jail->client)
                client_unwatch(jail->client, on_client_gone, jail);
        jail_stats_forget(jail->front, jail);
        if (jail->charged)
                quota_release_jail(jail->front, jail->owner_uid, &jail->limits.plan,
                                   jail->off_quota);
        if (jail->prev)
                jail->prev->next = jail->next;
        else if (jail->front->jails == jail)
                jail->front->jails = jail->next;
        if (jail->next)
                jail->next->prev = jail->prev;
        handles_remove(&jail->front->jails_by_id, &jail->by_id);
        handles_remove(&jail->front->jails_by_handle, &jail->by_handle);
        jail->wall = sd_event_source_disable_unref(jail->wall);
        json_free(jail->image);
        environment_free(jail->environment);
        init_link_free(jail->init);
        release_conn(jail);
        jail->book = jail_book_free(jail->book);
        slots_free(jail->slots);
        fds_close(jail->fds, _JAIL_FD_MAX);
        free(jail->audit);
        backgrounds_free(jail->backgrounds);
        while (jail->gones) {
                Gone *gone = jail->gones;

                jail->gones = gone->next;
                free(gone);
        }
        free(jail);
        return NULL;
}
DEFINE_SCOPED(FrontJail *, jail_free);

static void destroy(FrontJail *jail) {
        Error err = ERROR_EMPTY;

        set_state(jail, FRONT_JAIL_ENDING);
        if (monitor_handle(jail->front->monitor, REQUEST_JAIL_DESTROY, jail->handle, NULL, NULL,
                           &err) < 0)
                log_event(LOG_ERR, "jail cannot be ended", F("JAIL", jail->id), F_ERR(&err));
}

int front_jail_watch(FrontJail *jail, JailGoneFn gone, void *userdata) {
        Gone *entry = malloc(sizeof *entry);

        if (!entry)
                return -ENOMEM;
        *entry = (Gone){ jail->gones, gone, userdata };
        jail->gones = entry;
        return 0;
}

void front_jail_unwatch(FrontJail *jail, JailGoneFn gone, void *userdata) {
        for (Gone **at = &jail->gones; *at; at = &(*at)->next) {
                autofree Gone *found = *at;

                if (found->gone == gone && found->userdata == userdata) {
                        *at = found->next;
                        return;
                }
                (void) TAKE_PTR(found);
        }
}

void front_jail_end(FrontJail *jail, JailGoneFn gone, void *userdata) {
        if (gone)
                (void) front_jail_watch(jail, gone, userdata);
        if (jail->state == FRONT_JAIL_MAKING) {
                jail->end_wanted = true;
                count_no_more(jail);
        } else if (jail->state == FRONT_JAIL_READY) {
                destroy(jail);
        }
}

static void on_client_gone(Client *client, void *userdata) {
        FrontJail *jail = userdata;

        (void) client;
        jail->client = NULL;
        jail_book_set_end(jail, JAIL_END_CLIENT_GONE);
        front_jail_end(jail, NULL, NULL);
}

static void on_init_broken(const Error *err, void *userdata) {
        FrontJail *jail = userdata;

        if (err)
                log_event(LOG_WARNING, "jail's init is not believed", F("JAIL", jail->id),
                          F_ERR(err));
        if (err)
                jail_book_set_end(jail, JAIL_END_INIT_FAILED);
        front_jail_end(jail, NULL, NULL);
}

/* Tell those who wait, then free. They may ask for new jails, but not touch this one any more. */
static void tell_gone(FrontJail *jail) {
        Gone *gones = TAKE_PTR(jail->gones);
        Front *front = jail->front;
        const JailEvent event = { .kind = JAIL_EVENT_ENDED,
                                  .end = jail->book->end,
                                  .text = jail->book->end_text };

        jail_log_tell(jail, &event);
        layers_jail_ends(front, &jail->plan);
        jail_free(jail);
        while (gones) {
                autofree Gone *first = gones;

                gones = first->next;
                first->gone(first->userdata);
        }
        turns_touch(front->turns);
        if (front->sweep_later)
                layers_sweep(front);
        front_touch(front);
}

void front_jail_ended(Front *front, const MonitorReply *event) {
        HandleLink *link = handles_find(&front->jails_by_handle, event->handle);
        FrontJail *jail = link ? container_of(link, FrontJail, by_handle) : NULL;

        if (!jail || jail->state == FRONT_JAIL_MAKING)
                return;
        set_state(jail, FRONT_JAIL_ENDING);
        jail->oom_kills = event->oom_kills;
        jail->gave_up = WIFEXITED(event->code) && WEXITSTATUS(event->code) == INIT_GAVE_UP;
        if (jail->init)
                init_link_drain(jail->init);
        jail->init = init_link_free(jail->init);
        commands_jail_gone(jail);
        tell_gone(jail);
}

static void tell_created(FrontJail *jail) {
        const JailEvent event = { .kind = JAIL_EVENT_CREATED,
                                  .snapshot = jail->snapshot,
                                  .policy = jail->policy,
                                  .keep = jail->keep };

        jail_log_tell(jail, &event);
}

static void tell(FrontJail *jail, JailEventKind kind) {
        const JailEvent event = { .kind = kind };

        jail_log_tell(jail, &event);
}

int front_jail_adopt(FrontJail *jail, Client *client, Error *err) {
        int r;

        if (jail->state != FRONT_JAIL_READY)
                return error_say(err, -ESRCH, "jail %s is not running", jail->id);
        if (client && client_watch(client, on_client_gone, jail) < 0)
                return error_set(err, -ENOMEM, "keep account of a jail");
        r = jail_wall_start(jail, err);
        if (r < 0 && client)
                client_unwatch(client, on_client_gone, jail);
        if (r < 0)
                return r;
        jail->client = client;
        jail->keep = !client;
        jail->listed = true;
        jail->ahead = false;
        jail->created_usec = units_now();
        jail->book->log = jail_log_join(jail->front->jail_log, jail->owner_uid);
        tell_created(jail);
        tell(jail, JAIL_EVENT_READY);
        log_event(LOG_INFO, "jail is taken from its pool", F("JAIL", jail->id));
        return 0;
}

static void not_made(FrontJail *jail, const Error *err) {
        jail_book_set_end(jail, JAIL_END_NOT_MADE);
        jail->book->end_text = strdup(err->text);
        log_event(LOG_WARNING, "jail could not be made", F("JAIL", jail->id),
                  F("POLICY", jail->policy), F("SNAPSHOT", jail->snapshot), F_ERR(err));
        jail->ready(jail, err, jail->userdata);
}

static void on_created(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        FrontJail *jail = userdata;
        Front *front = jail->front;
        Error err = ERROR_EMPTY;

        release_conn(jail);
        if (reply->code < 0) {
                if (reply->code != -ENOENT || layers_missing(front, &jail->plan, &err) == 0)
                        (void) monitor_refusal(reply, &err);
                not_made(jail, &err);
                tell_gone(jail);
                return;
        }
        front->shells.asked++;
        front->shells.ready += reply->waited == 0;
        jail->handle = reply->handle;
        handles_add(&front->jails_by_handle, &jail->by_handle, jail->handle);
        jail->id_base = reply->id_base;
        if (jail->end_wanted)
                error_say(&err, -ECANCELED, "the jail was ended while it was being made");
        else if (jail_handover(jail, reply, fds, n_fds, on_init_broken, &err) >= 0 && !jail->ahead)
                (void) jail_wall_start(jail, &err);
        if (err.code == 0) {
                set_state(jail, FRONT_JAIL_READY);
                tell(jail, JAIL_EVENT_READY);
                uncounted_watch(front->uncounted);
                jail->ready(jail, NULL, jail->userdata);
                return;
        }
        destroy(jail);
        not_made(jail, &err);
}

static PolicyUse named_use(const char *policy) {
        PolicyUse use = { .is_own = false };

        (void) snprintf(use.name, sizeof use.name, "%s", policy);
        (void) snprintf(use.shown, sizeof use.shown, "%s", policy);
        return use;
}

static void take_dir(FrontJail *jail, const JailSpec *spec) {
        for (unsigned i = 0; i < spec->plan.n_layers; i++) {
                const PlanLayer *layer = &spec->plan.layers[i];

                if (layer->kind == LAYER_DIR && layer->fd > 0 && layer->fd <= spec->n_fds)
                        jail->dir = jail_dir_id(spec->fds[layer->fd - 1]);
        }
}

static void take_names(FrontJail *jail, const JailSpec *spec) {
        if (spec->id)
                (void) snprintf(jail->id, sizeof jail->id, "%s", spec->id);
        else
                id_new('j', jail->id);
        (void) snprintf(jail->snapshot, sizeof jail->snapshot, "%s", spec->snapshot);
        (void) snprintf(jail->policy, sizeof jail->policy, "%s", spec->policy);
        if (spec->use)
                jail->use = *spec->use;
        else
                jail->use = named_use(spec->policy);
        take_dir(jail, spec);
}

/* Returns: 0 or -ENOMEM */
static int make_parts(FrontJail *jail, const JailSpec *spec) {
        Front *front = jail->front;

        if (spec->image && (!(jail->image = cJSON_Duplicate(spec->image, true)) ||
                            !(jail->environment = environment_new(jail->image, NULL))))
                return -ENOMEM;
        if (jail_book_new(++front->next_jail, &jail->book) < 0 ||
            (spec->listed && !(jail->book->log = jail_log_join(front->jail_log, spec->owner_uid))))
                return -ENOMEM;
        if (slots_new(front, &jail->slots) < 0)
                return -ENOMEM;
        if (spec->client && client_watch(spec->client, on_client_gone, jail) < 0)
                return -ENOMEM;
        jail->client = spec->client;
        return 0;
}

static int jail_new(Front *front, const JailSpec *spec, FrontJail **ret) {
        SCOPED(jail_free) FrontJail *jail = calloc(1, sizeof(FrontJail));

        if (!jail)
                return -ENOMEM;
        *jail = (FrontJail){ .front = front,
                             .state = FRONT_JAIL_MAKING,
                             .plan = spec->plan,
                             .limits = spec->limits,
                             .keep = !spec->client,
                             .listed = spec->listed,
                             .ahead = spec->ahead,
                             .owner_uid = spec->owner_uid,
                             .conn = -EBADF,
                             .created_usec = units_now() };
        for (unsigned i = 0; i < _JAIL_FD_MAX; i++)
                jail->fds[i] = -EBADF;
        jail->used_usec = units_monotonic();
        take_names(jail, spec);
        if (make_parts(jail, spec) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(jail);
        return 0;
}

static int ask_monitor(FrontJail *jail, const JailSpec *spec, Error *err) {
        CreateRequest request = { .head.kind = REQUEST_JAIL_CREATE, .plan = spec->plan };
        int fds[PLAN_FDS_MAX] = { spec->filter_fd };

        if (spec->n_fds > PLAN_FDS_MAX - 1)
                return error_say(err, -E2BIG, "a jail takes at most %d directories",
                                 (PLAN_FDS_MAX - 1) / 2);
        if (spec->n_fds)
                memcpy(fds + 1, spec->fds, spec->n_fds * sizeof *fds);
        request.plan.n_fds = 1 + spec->n_fds;
        for (unsigned i = 0; i < spec->plan.n_layers && jail->conn < 0; i++) {
                if (spec->plan.layers[i].kind != LAYER_DIR)
                        continue;
                jail->conn = fcntl(fds[spec->plan.layers[i].conn], F_DUPFD_CLOEXEC, 3);
                if (jail->conn < 0)
                        return error_set(err, -errno, "keep the caller's connection");
        }
        return monitor_send(jail->front->monitor, &request, sizeof request, fds, 1 + spec->n_fds,
                            on_created, jail, err);
}

int front_jail_new(Front *front, const JailSpec *spec, JailReadyFn ready, void *userdata,
                   FrontJail **ret, Error *err) {
        SCOPED(jail_free) FrontJail *jail = NULL;
        uint64_t number = 0;
        int r = spec->reads_damaged ? 0 : layers_allow(front, &spec->plan, err);

        if (r < 0)
                return r;
        r = jail_new(front, spec, &jail);
        if (r < 0)
                return error_set(err, r, "keep account of a jail");
        r = quota_charge_jail(front, spec->owner_uid, &spec->limits.plan, err);
        if (r < 0)
                return r;
        jail->charged = true;
        jail->ready = ready;
        jail->userdata = userdata;
        r = ask_monitor(jail, spec, err);
        if (r < 0)
                return r;
        (void) id_number('j', jail->id, &number);
        jail->next = front->jails;
        if (jail->next)
                jail->next->prev = jail;
        front->jails = jail;
        handles_add(&front->jails_by_id, &jail->by_id, number);
        tell_created(jail);
        *ret = TAKE_PTR(jail);
        return 0;
}

void front_jails_free_all(Front *front) {
        while (front->jails) {
                FrontJail *jail = front->jails;

                jail->init = init_link_free(jail->init); /* ends the commands that run */
                commands_jail_gone(jail);
                jail_free(jail);
        }
}
