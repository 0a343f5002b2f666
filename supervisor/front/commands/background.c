/*
 * background: see background.h.
 *
 * Each has an entry from its start. While it runs the entry points to its Command, and what it wrote is asked of
 * init; at its end the record and a descriptor of what init kept take that place. The jail owns all entries, and
 * its end makes every command end first, so that no Command ever outlives its entry.
 */
#include "supervisor/front/commands/background.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/ids.h"
#include "base/units.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/jails/init-link.h"

typedef struct Entry Entry;

struct Entry {
        Entry *next; /* older */
        char id[ID_MAX];
        char shown[BACKGROUND_SHOWN_MAX + 4];
        uint64_t started_usec;
        FrontJail *jail;  /* borrowed, owns us */
        Command *command; /* borrowed; NULL: it has ended */
        Client *holder;   /* borrowed; NULL: nobody holds it, or not any more */
        bool forsaken;    /* who held it has gone: nobody wants what it wrote */
        bool terminal;    /* it has one of the jail's own */
        cJSON *record;    /* owned, once it has */
        int output;       /* owned: sealed memfd; -EBADF: none */
        uint64_t seen, kept, cut_at;
};

struct Backgrounds {
        Entry *newest; /* owned */
};

static void on_holder_gone(Client *client, void *userdata);

static void let_go(Entry *entry) {
        if (entry->holder)
                client_unwatch(entry->holder, on_holder_gone, entry);
        entry->holder = NULL;
}

static Entry *entry_free(Entry *entry) {
        if (!entry)
                return NULL;
        let_go(entry);
        json_free(entry->record);
        if (entry->output >= 0)
                (void) close(entry->output);
        free(entry);
        return NULL;
}
DEFINE_SCOPED(Entry *, entry_free);

Backgrounds *backgrounds_free(Backgrounds *backgrounds) {
        while (backgrounds && backgrounds->newest) {
                Entry *entry = backgrounds->newest;

                backgrounds->newest = entry->next;
                entry_free(entry);
        }
        free(backgrounds);
        return NULL;
}

static Entry *find(FrontJail *jail, const char *id) {
        const Backgrounds *all = *front_jail_backgrounds(jail);

        for (Entry *entry = all ? all->newest : NULL; entry; entry = entry->next)
                if (strcmp(entry->id, id) == 0)
                        return entry;
        return NULL;
}

/* Of those that have ended the newest stay, as many and as much as a jail may keep */
static void forget_old(Backgrounds *all) {
        Entry **at = &all->newest;
        uint64_t bytes = 0;
        unsigned n = 0;

        while (*at) {
                Entry *entry = *at;

                if (!entry->command) {
                        bytes += entry->kept;
                        n++;
                }
                if (!entry->command && (n > BACKGROUND_ENDED_MAX || bytes > BACKGROUND_KEPT_MAX)) {
                        *at = entry->next;
                        entry_free(entry);
                } else {
                        at = &entry->next;
                }
        }
}

/* What it wrote was shown to who held it, or nobody wants it; its record stays */
static void drop_output(Entry *entry) {
        if (entry->output >= 0)
                (void) close(entry->output);
        entry->output = -EBADF;
        entry->kept = entry->cut_at = 0;
}

static void on_holder_gone(Client *client, void *userdata) {
        Entry *entry = userdata;

        (void) client;
        entry->holder = NULL;
        entry->forsaken = true;
        drop_output(entry);
        if (entry->command)
                command_kill(entry->command, CAUSE_KILLED_BY_CLIENT);
}

/* ---- its life ------------------------------------------------------------------------------------- */

static void on_done(Command *command, const CommandEnd *end, void *userdata) {
        Entry *entry = userdata;
        CommandEnd bare = *end;

        entry->command = NULL;
        bare.output[0] = bare.output[1] = -EBADF;
        entry->record = command_record(command, &bare);
        entry->seen = end->seen[0];
        if (end->output[0] >= 0 && !entry->forsaken) {
                entry->output = fcntl(end->output[0], F_DUPFD_CLOEXEC, 3);
                entry->kept = entry->output < 0 ? 0 : end->kept[0];
                entry->cut_at = entry->output < 0 ? 0 : end->cut_at[0];
        }
        forget_old(*front_jail_backgrounds(command_jail(command)));
}

static void show_words(Entry *entry, const char *const *argv) {
        size_t n = 0;

        for (unsigned i = 0; argv[i] && n < BACKGROUND_SHOWN_MAX; i++) {
                size_t length = strnlen(argv[i], BACKGROUND_SHOWN_MAX - n);

                if (i > 0)
                        entry->shown[n++] = ' ';
                if (length > BACKGROUND_SHOWN_MAX - n)
                        length = BACKGROUND_SHOWN_MAX - n;
                memcpy(entry->shown + n, argv[i], length);
                n += length;
        }
        if (n >= BACKGROUND_SHOWN_MAX)
                memcpy(entry->shown + BACKGROUND_SHOWN_MAX, "…", sizeof("…"));
}

/* The jail's bounds for what nobody reads at once */
static CommandSpec own_spec(const FrontJail *jail, const CommandSpec *spec) {
        CommandSpec own = *spec;

        if (own.output_keep == 0)
                own.output_keep = front_jail_limits(jail)->output_keep;
        if (own.output_keep > BACKGROUND_KEEP_MAX)
                own.output_keep = BACKGROUND_KEEP_MAX;
        if (spec->pty) /* who is attached reads for hours: no output is too much */
                own.output_max = UINT64_MAX;
        return own;
}

int background_start(FrontJail *jail, const CommandSpec *spec, Client *holder, const char **ret_id,
                     Error *err) {
        const CommandSpec own = own_spec(jail, spec);
        Backgrounds **all = front_jail_backgrounds(jail);
        SCOPED(entry_free) Entry *entry = calloc(1, sizeof(Entry));
        int r;

        if (!*all)
                *all = calloc(1, sizeof(Backgrounds));
        if (!*all || !entry)
                return error_set(err, -ENOMEM, "start a command in the background");
        entry->jail = jail;
        entry->output = -EBADF;
        entry->started_usec = units_now();
        entry->terminal = spec->pty;
        show_words(entry, spec->argv);
        if (holder && client_watch(holder, on_holder_gone, entry) < 0)
                return error_set(err, -ENOMEM, "start a command");
        entry->holder = holder;
        r = command_start(jail, &own, on_done, entry, &entry->command, err);
        if (r < 0)
                return r;
        memcpy(entry->id, command_id(entry->command), sizeof(entry->id));
        *ret_id = entry->id;
        entry->next = (*all)->newest;
        (*all)->newest = TAKE_PTR(entry);
        return 0;
}

void backgrounds_describe(FrontJail *jail, cJSON *list) {
        static const char *const members[] = { "cause", "code", "signal" };
        const Backgrounds *all = *front_jail_backgrounds(jail);

        for (const Entry *entry = all ? all->newest : NULL; entry; entry = entry->next) {
                cJSON *json = cJSON_CreateObject();
                char time[UNITS_TEXT_MAX];

                json_add_text(json, "command", entry->id);
                json_add_text(json, "words", entry->shown);
                json_add_text(json, "started", units_format_time(entry->started_usec, time));
                json_add_bool(json, "running", entry->command != NULL);
                json_add_bool(json, "tty", entry->terminal);
                json_add_bool(json, "held", entry->holder != NULL);
                for (unsigned i = 0; entry->record && i < ELEMENTS(members); i++)
                        json_add_consume(
                                json, members[i],
                                cJSON_Duplicate(json_get(entry->record, members[i]), true));
                if (!json || !cJSON_InsertItemInArray(list, 0, json))
                        json_free(json);
        }
}

/* ---- what it wrote -------------------------------------------------------------------------------- */

typedef struct Logs {
        Front *front; /* borrowed */
        Call *call;
        char jail[ID_MAX];
        char command[ID_MAX];
        bool bare; /* no descriptor is meant */
} Logs;

/* @command: NULL: nothing more is known of it */
static cJSON *answer_json(const char *id, bool running, const Command *command,
                          const uint64_t counts[3]) {
        static const char *const names[] = { "seen", "kept", "cut_at" };
        cJSON *json = cJSON_CreateObject();
        uint64_t left;

        json_add_text(json, "command", id);
        json_add_bool(json, "running", running);
        if (command && command_wall_left(command, &left))
                json_add_number(json, "wall_left_usec", left);
        for (unsigned i = 0; counts && i < ELEMENTS(names); i++)
                json_add_number(json, names[i], counts[i]);
        return json;
}

/* The entry has ended, or its command is about to be told of its start or end: then there is nothing to read */
static void answer_entry(Call *call, const Entry *entry, bool bare) {
        const uint64_t counts[] = { entry->seen, entry->kept, entry->cut_at };
        cJSON *json = answer_json(entry->id, entry->command != NULL, entry->command,
                                  entry->command ? NULL : counts);

        if (entry->record)
                json_add_consume(json, "record", cJSON_Duplicate(entry->record, true));
        call_answer(call, json, &entry->output, !bare && entry->output >= 0);
}

/* Returns: is what came what was asked for, as init says it */
static bool take_logged(const Logs *logs, const InitEvent *event, const int *fds, unsigned n_fds,
                        uint64_t counts[3]) {
        counts[0] = event->seen[0];
        counts[1] = event->kept[0];
        counts[2] = event->cut_at[0];
        if (event->code != 0 || logs->bare)
                return event->code == 0;
        return n_fds > 0 && fds[n_fds - 1] >= 0 &&
               init_stream_check(fds[0], &counts[1], &counts[2]);
}

static void on_logged(const InitEvent *event, int *fds, unsigned n_fds, void *userdata) {
        autofree Logs *logs = userdata;
        FrontJail *jail = front_jail_find(logs->front, logs->jail, 0);
        const Entry *entry = jail ? find(jail, logs->command) : NULL;
        uint64_t counts[3];
        Error err = ERROR_EMPTY;

        if (event && take_logged(logs, event, fds, n_fds, counts)) {
                call_answer(logs->call,
                            answer_json(logs->command, true, entry ? entry->command : NULL, counts),
                            fds, logs->bare ? 0 : n_fds);
                return;
        }
        if (entry && event && event->code == -ESRCH) { /* it ended before init was asked */
                answer_entry(logs->call, entry, logs->bare);
                return;
        }
        if (event && event->code == -EBUSY)
                (void) error_say(
                        &err, -EBUSY,
                        "as many follow %s, or hold what it had written, as may: close one",
                        logs->command);
        else
                error_set(&err, event && event->code < 0 ? event->code : -EPIPE,
                          "read what %s wrote", logs->command);
        call_fail(logs->call, NULL, &err);
}

/* What init is asked for */
static InitLogs make_message(const Entry *entry, const BackgroundLook *look) {
        InitLogs message = { .head.kind = INIT_LOGS,
                             .command = command_number(entry->command),
                             .follow = look->follow,
                             .only = look->only };

        if (entry->terminal) {
                message.keys = look->keys;
                message.rows = look->rows;
                message.columns = look->columns;
        }
        return message;
}

static int ask_init(const Entry *entry, Call *call, const BackgroundLook *look, Error *err) {
        InitLogs message = make_message(entry, look);
        const InitMessage packet = { &message, sizeof message, NULL, 0 };
        autofree Logs *logs = malloc(sizeof(Logs));
        int r;

        if (!logs)
                return error_set(err, -ENOMEM, "read what a command wrote");
        *logs = (Logs){ .front = front_jail_front(entry->jail),
                        .call = call,
                        .bare = look->only != INIT_LOGS_ALL };
        memcpy(logs->jail, front_jail_id(entry->jail), sizeof(logs->jail));
        memcpy(logs->command, entry->id, sizeof(logs->command));
        r = init_link_send(front_jail_init(entry->jail), &packet, on_logged, logs, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(logs);
        return 0;
}

int background_look(FrontJail *jail, Call *call, const BackgroundLook *look, Error *err) {
        Entry *entry = find(jail, look->command);

        if (!entry) {
                call_refuse(call, "not_found", "/command", "see `warder ls JAIL`");
                return error_say(err, -ENOENT, "no such command is in the background of this jail");
        }
        if (look->leave && entry->holder == call_client(call))
                let_go(entry);
        if (!look->leave && entry->command && command_number(entry->command) > 0)
                return ask_init(entry, call, look, err);
        if (look->only == INIT_LOGS_HANG_UP && entry->command) /* when it starts, if it will */
                (void) command_signal(entry->command, SIGHUP, NULL);
        answer_entry(call, entry, look->leave || look->only != INIT_LOGS_ALL);
        return 0;
}
