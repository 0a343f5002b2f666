/*
 * commands: see commands.h.
 *
 *   WAITING   for a slot that the monitor is making; nothing has been sent
 *   RUNNING   INIT_EXEC was sent; the slot's clocks run
 *   (done)    INIT_ENDED came, or the jail ended: the record is made, the owner told, all freed
 *
 * Who ends a command early writes down why (`ordered`) and kills its slot; the end itself always comes
 * from init, so there is one path to the record. Counters of the jail are read before and after: with two
 * commands in one jail at a time, both get what rose meanwhile.
 */
#include "supervisor/front/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/exec-message.h"
#include "supervisor/front/init-link.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/slots.h"

typedef struct Counters {
        uint64_t oom;
        uint64_t pids;
} Counters;

struct Command {
        FrontJail *jail; /* borrowed, outlives us */
        Command *prev, *next;
        char id[ID_MAX];
        uint64_t number; /* init's id of it, 0 while WAITING */
        Slot *slot;      /* borrowed; NULL while WAITING */
        ExecMessage message;
        SlotLimits limits;
        Counters before;
        Cause ordered;     /* _CAUSE_MAX: nobody ends it */
        bool running;      /* INIT_STARTED came */
        int client_signal; /* the last one; sent when the command runs */
        uint32_t hits;
        uint64_t started_usec;
        CommandDoneFn done;
        void *userdata;
};

static void read_counters(const FrontJail *jail, Counters *ret) {
        *ret = (Counters){ 0 };
        (void) fd_read_keyed(front_jail_fd(jail, JAIL_FD_OOM), "oom_kill", &ret->oom);
        (void) fd_read_keyed(front_jail_fd(jail, JAIL_FD_PIDS_EVENTS), "max", &ret->pids);
}

static Command *command_free(Command *command) {
        Command **head;

        if (!command)
                return NULL;
        head = front_jail_commands(command->jail);
        if (command->prev)
                command->prev->next = command->next;
        else if (*head == command)
                *head = command->next;
        if (command->next)
                command->next->prev = command->prev;
        exec_message_deinit(&command->message);
        free(command);
        return NULL;
}
DEFINE_SCOPED(Command *, command_free);

static const uint32_t cause_hits[_CAUSE_MAX] = {
        [CAUSE_WALL_TIMEOUT] = BIT(HIT_WALL),
        [CAUSE_CPU_TIMEOUT] = BIT(HIT_CPU),
        [CAUSE_OUTPUT_LIMIT] = BIT(HIT_OUTPUT),
};

/* The first order stands: what comes after it is its consequence. */
static void set_order(Command *command, Cause cause) {
        command->hits |= cause_hits[cause];
        if (command->ordered == _CAUSE_MAX)
                command->ordered = cause;
}

static void fill_usage(const FrontJail *jail, CommandEnd *end) {
        (void) fd_read_number(front_jail_fd(jail, JAIL_FD_MEMORY_PEAK), &end->memory_peak);
        if (fd_read_keyed(front_jail_fd(jail, JAIL_FD_MEMORY_STAT), "cache", &end->memory_files) <
            0)
                (void) fd_read_keyed(front_jail_fd(jail, JAIL_FD_MEMORY_STAT), "file",
                                     &end->memory_files);
}

/* Init's word is checked: a sealed memfd, and no more bytes than it has. */
static void take_stream(CommandEnd *end, unsigned i, int fd) {
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat what;
        uint64_t size;

        if (seals < 0 || !(seals & F_SEAL_WRITE) || !(seals & F_SEAL_SHRINK) ||
            fstat(fd, &what) < 0)
                return;
        size = what.st_size < INIT_KEEP_MAX ? (uint64_t) what.st_size : INIT_KEEP_MAX;
        if (end->kept[i] > size)
                end->kept[i] = size;
        if (end->cut_at[i] > end->kept[i])
                end->cut_at[i] = end->kept[i];
        end->output[i] = fd; /* stays the link's, which closes it when the end has been told */
}

static void take_output(const Command *command, CommandEnd *end, const int *fds, unsigned n_fds) {
        const uint32_t *stdio = command->message.exec->stdio;
        unsigned next = 0;

        for (unsigned i = 0; i < 2; i++)
                if (stdio[i + 1] == STDIO_CAPTURE && next < n_fds)
                        take_stream(end, i, fds[next++]);
}

static void log_end(const Command *command, const CommandEnd *end) {
        char code[16], wall[UNITS_TEXT_MAX];

        (void) snprintf(code, sizeof code, "%d", end->signal ? 128 + end->signal : end->code);
        log_event(LOG_INFO, "command ended", F("JAIL", front_jail_id(command->jail)),
                  F("COMMAND", command->id), F("CAUSE", cause_name(end->cause)), F("CODE", code),
                  F("WALL", units_format_duration(end->wall_usec, wall)));
}

static void finish(Command *command, const InitEvent *event, int *fds, unsigned n_fds) {
        SCOPED(command_free) Command *owned = command;
        CommandEnd end = { .output = { -EBADF, -EBADF }, .hits = command->hits };
        Counters after;
        Cause ordered = command->ordered;

        read_counters(command->jail, &after);
        if (after.oom > command->before.oom)
                end.hits |= BIT(HIT_MEMORY);
        if (after.pids > command->before.pids)
                end.hits |= BIT(HIT_PIDS);
        fill_usage(command->jail, &end);
        if (ordered == _CAUSE_MAX && event && event->signal &&
            event->signal == command->client_signal)
                ordered = CAUSE_KILLED_BY_CLIENT;
        cause_decide(&end, event, ordered);
        if (event)
                take_output(command, &end, fds, n_fds);
        else if (command->started_usec)
                end.wall_usec = units_monotonic() - command->started_usec;
        if (command->slot)
                slot_release(command->slot, event && event->value);
        command->slot = NULL;
        log_end(command, &end);
        command->done(command, &end, command->userdata);
        (void) owned;
}

static int send_signal(Command *command, Error *err) {
        InitSignal message = { .head = { .kind = INIT_SIGNAL, .id = command->number },
                               .signal = command->client_signal };
        const InitMessage packet = { &message, sizeof message, NULL, 0 };

        return init_link_send(front_jail_init(command->jail), &packet, NULL, NULL, err);
}

/* What was ordered while its process was being made found nothing to kill, or killed one too early. */
static void on_started(Command *command) {
        command->running = true;
        if (command->ordered != _CAUSE_MAX)
                (void) slot_kill(command->slot);
        else if (command->client_signal)
                (void) send_signal(command, NULL);
}

static void on_event(const InitEvent *event, int *fds, unsigned n_fds, void *userdata) {
        Command *command = userdata;

        if (event && event->kind == INIT_STARTED) {
                on_started(command);
                return;
        }
        if (event && event->kind == INIT_OUTPUT_LIMIT) {
                command_kill(command, CAUSE_OUTPUT_LIMIT);
                return;
        }
        finish(command, event, fds, n_fds);
}

static void on_limit(Cause cause, void *userdata) {
        set_order(userdata, cause);
}

/* Everything is there: send it to init and start the clocks. */
static int launch(Command *command, Slot *slot, Error *err) {
        ExecMessage *message = &command->message;
        const InitMessage packet = { message->exec, message->n, message->fds, message->n_fds };
        int r;

        message->exec->slot = slot_number(slot);
        read_counters(command->jail, &command->before);
        r = slot_arm(slot, &command->limits, err);
        if (r >= 0)
                r = init_link_send(front_jail_init(command->jail), &packet, on_event, command, err);
        if (r < 0) {
                slot_release(slot, false);
                return r;
        }
        command->slot = slot;
        command->number = message->exec->head.id;
        command->started_usec = units_monotonic();
        return 0;
}

static void fail_waiting(Command *command, const Error *err) {
        const InitEvent event = { .code = err->code, .step = INIT_STEP_GROUP };

        log_event(LOG_WARNING, "command cannot start", F("COMMAND", command->id), F_ERR(err));
        finish(command, &event, NULL, 0);
}

/* Tell init of the new group; init takes messages in order, so a command may follow at once. */
static int introduce(FrontJail *jail, uint64_t number, int *fds, Error *err) {
        InitSlot slot = { .head.kind = INIT_SLOT, .slot = (uint32_t) number };
        const InitMessage packet = { &slot, sizeof slot, &fds[SLOT_FD_DIR], 1 };
        int owned[SLOT_FD_DIR];
        int r;

        r = init_link_send(front_jail_init(jail), &packet, NULL, NULL, err);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < SLOT_FD_DIR; i++)
                owned[i] = TAKE_FD(fds[i]);
        r = slots_add(front_jail_slots(jail), (unsigned) number, owned);
        return r < 0 ? error_set(err, r, "take a new slot") : 0;
}

static Command *oldest_waiting(FrontJail *jail) {
        Command *found = NULL;

        for (Command *at = *front_jail_commands(jail); at; at = at->next)
                if (at->number == 0)
                        found = at;
        return found;
}

typedef struct SlotWait { /* outlives the command and the jail, which may end before the reply */
        Front *front;
        char jail[ID_MAX];
} SlotWait;

static void on_slot(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        autofree SlotWait *wait = userdata;
        FrontJail *jail = front_jail_find(wait->front, wait->jail, 0);
        Error err = ERROR_EMPTY;
        Command *command;
        Slot *slot;

        if (!jail || front_jail_state(jail) != FRONT_JAIL_READY)
                return; /* its commands have ended, or will with it */
        if (reply->code < 0)
                error_say(&err, reply->code, "%s", reply->text);
        else if (n_fds != _SLOT_FD_MAX || reply->handle >= JAIL_SLOTS_MAX)
                error_say(&err, -EPROTO, "the monitor's answer for a slot is not whole");
        else
                (void) introduce(jail, reply->handle, fds, &err);
        command = oldest_waiting(jail);
        if (!command)
                return;
        slot = command->ordered == _CAUSE_MAX ? slots_take(front_jail_slots(jail)) : NULL;
        if (slot)
                err = ERROR_EMPTY; /* another one became free */
        else if (command->ordered != _CAUSE_MAX)
                error_say(&err, -ECANCELED, "ended before it started");
        else if (err.code == 0)
                error_say(&err, -EAGAIN, "no command group is free in this jail");
        if (!slot || launch(command, slot, &err) < 0)
                fail_waiting(command, &err);
}

static int ask_slot(FrontJail *jail, Error *err) {
        autofree SlotWait *wait = NULL;
        int r;

        if (slots_n(front_jail_slots(jail)) >= JAIL_SLOTS_MAX)
                return error_say(err, -EBUSY,
                                 "this jail runs %u commands (leftovers included) already: "
                                 "end some, or use another jail",
                                 JAIL_SLOTS_MAX);
        wait = calloc(1, sizeof *wait);
        if (!wait)
                return error_set(err, -ENOMEM, "ask for a command group");
        wait->front = front_jail_front(jail);
        (void) snprintf(wait->jail, sizeof wait->jail, "%s", front_jail_id(jail));
        r = monitor_handle(wait->front->monitor, REQUEST_SLOT_NEW, front_jail_handle(jail), on_slot,
                           wait, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(wait);
        return 0;
}

static int place(Command *command, Error *err) {
        Slot *slot = slots_take(front_jail_slots(command->jail));
        int r;

        if (slot)
                return launch(command, slot, err);
        r = exec_message_keep(&command->message, err);
        return r < 0 ? r : ask_slot(command->jail, err);
}

static int command_new(FrontJail *jail, const CommandSpec *spec, Command **ret, Error *err) {
        const JailLimits *limits = front_jail_limits(jail);
        SCOPED(command_free) Command *command = calloc(1, sizeof(Command));
        int r;

        if (!command)
                return error_set(err, -ENOMEM, "keep account of a command");
        command->jail = jail;
        command->message = EXEC_MESSAGE_EMPTY;
        command->ordered = _CAUSE_MAX;
        command->limits =
                (SlotLimits){ spec->wall_usec ? spec->wall_usec : limits->command_wall_usec,
                              spec->cpu_usec ? spec->cpu_usec : limits->command_cpu_usec, on_limit,
                              command };
        id_new('c', command->id);
        r = exec_message_init(&command->message, jail, spec, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(command);
        return 0;
}

int command_start(FrontJail *jail, const CommandSpec *spec, CommandDoneFn done, void *userdata,
                  Command **ret, Error *err) {
        SCOPED(command_free) Command *command = NULL;
        Command **head = front_jail_commands(jail);
        int r;

        if (front_jail_state(jail) != FRONT_JAIL_READY)
                return error_say(err, -ESRCH, "jail %s is not running", front_jail_id(jail));
        if (commands_count(*head) >= COMMANDS_PER_JAIL_MAX)
                return error_say(err, -EBUSY, "jail %s runs %u commands already",
                                 front_jail_id(jail), COMMANDS_PER_JAIL_MAX);
        r = command_new(jail, spec, &command, err);
        if (r < 0)
                return r;
        command->done = done;
        command->userdata = userdata;
        r = place(command, err);
        if (r < 0)
                return r;
        command->next = *head;
        if (*head)
                (*head)->prev = command;
        *head = command;
        *ret = TAKE_PTR(command);
        return 0;
}

int command_signal(Command *command, int signal, Error *err) {
        command->client_signal = signal;
        return command->running ? send_signal(command, err) : 0;
}

void command_kill(Command *command, Cause cause) {
        set_order(command, cause);
        if (!command->slot)
                return;                   /* on_slot() sees the order and does not start it */
        if (slot_kill(command->slot) < 0) /* nothing less ends what left its session */
                front_jail_end(command->jail, NULL, NULL);
}

const char *command_id(const Command *command) {
        return command->id;
}

FrontJail *command_jail(const Command *command) {
        return command->jail;
}

Command *command_find(FrontJail *jail, const char *id) {
        for (Command *at = *front_jail_commands(jail); at; at = at->next)
                if (!id || strcmp(at->id, id) == 0)
                        return at;
        return NULL;
}

unsigned commands_count(const Command *first) {
        unsigned n = 0;

        for (; first; first = first->next)
                n++;
        return n;
}

void commands_set_cause(FrontJail *jail, Cause cause) {
        for (Command *at = *front_jail_commands(jail); at; at = at->next)
                set_order(at, cause);
}

void commands_jail_gone(FrontJail *jail) {
        while (*front_jail_commands(jail))
                finish(*front_jail_commands(jail), NULL, NULL, 0);
}
