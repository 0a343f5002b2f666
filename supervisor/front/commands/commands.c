/*
 * commands: see commands.h.
 *
 *   WAITING   for a slot that the monitor is making or narrowing; nothing has been sent
 *   RUNNING   INIT_EXEC was sent; the slot's clocks run
 *   HELD      INIT_ENDED came with SIGSYS: the kernel's record of a filter's kill may be behind (audit.c)
 *   (done)    INIT_ENDED came, or the jail ended: the record is made, the owner told, all freed
 *
 * Who ends a command early writes down why (`ordered`) and kills its slot; the end itself always comes
 * from init, so there is one path to the record. What the kernel counted meanwhile: evidence.c.
 */
#include "supervisor/front/commands/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/commands/audit.h"
#include "supervisor/front/commands/evidence.h"
#include "supervisor/front/commands/exec-message.h"
#include "supervisor/front/commands/slot-requests.h"
#include "supervisor/front/jails/init-link.h"

typedef struct Held { /* INIT_ENDED, until the records are read */
        InitEvent event;
        int fds[2]; /* owned */
        unsigned n_fds;
        AuditWait *wait;
} Held;

struct Command {
        FrontJail *jail; /* borrowed, outlives us */
        Command *prev, *next;
        char id[ID_MAX];
        uint64_t number; /* init's id of it, 0 while WAITING */
        Slot *slot;      /* borrowed; NULL while WAITING */
        ExecMessage message;
        SlotLimits limits;
        CommandLimits narrow; /* below the jail's; all 0: none */
        Evidence evidence;
        Cause ordered;     /* _CAUSE_MAX: nobody ends it */
        bool running;      /* INIT_STARTED came */
        bool alone;        /* what it leaves running ends with it */
        int client_signal; /* the last one; sent when the command runs */
        uint32_t hits;
        uint64_t uncounted; /* why it was ended, where HIT_SOCKETS or HIT_LOCKS is among the hits */
        uint64_t started_usec;
        uint64_t frozen_usec;  /* how long its jail had stood still before */
        uint64_t started_msec; /* the same on the clock of the kernel's records */
        int32_t pid;           /* as the host numbers it, known when it is HELD */
        Held *held;            /* owned; NULL: not HELD */
        CommandDoneFn done;
        void *userdata;
};

static Held *held_free(Held *held) {
        if (!held)
                return NULL;
        audit_forget(held->wait);
        fds_close(held->fds, held->n_fds);
        free(held);
        return NULL;
}
DEFINE_SCOPED(Held *, held_free);

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
        held_free(command->held);
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
        if (command->held)
                return; /* it has ended */
        command->hits |= cause_hits[cause];
        if (command->ordered == _CAUSE_MAX)
                command->ordered = cause;
}

static void take_output(const Command *command, CommandEnd *end, const int *fds, unsigned n_fds) {
        const uint32_t *stdio = command->message.exec->stdio;
        unsigned next = 0;

        for (unsigned i = 0; i < 2; i++)
                if (stdio[i + 1] == STDIO_CAPTURE && next < n_fds) {
                        int fd = fds
                                [next++]; /* stays the link's, which closes it when the end has been told */

                        if (init_stream_check(fd, &end->kept[i], &end->cut_at[i]))
                                end->output[i] = fd;
                }
}

static void log_end(const Command *command, const CommandEnd *end) {
        char code[16], wall[UNITS_TEXT_MAX];

        (void) snprintf(code, sizeof code, "%d", end->signal ? 128 + end->signal : end->code);
        log_event(LOG_INFO, "command ended", F("JAIL", front_jail_id(command->jail)),
                  F("COMMAND", command->id), F("CAUSE", cause_name(end->cause)), F("CODE", code),
                  F("WALL", units_format_duration(end->wall_usec, wall)));
}

/* A bare SIGSYS that nobody here sent: was it a filter's? */
static bool may_be_filtered(const Command *command, const InitEvent *event) {
        return event && event->kind == INIT_ENDED && event->step == INIT_STEP_NONE &&
               event->signal == SIGSYS && command->ordered == _CAUSE_MAX &&
               command->client_signal != SIGSYS;
}

static void finish(Command *command, const InitEvent *event, int *fds, unsigned n_fds) {
        SCOPED(command_free) Command *owned = command;
        CommandEnd end = { .output = { -EBADF, -EBADF },
                           .hits = command->hits,
                           .left = !event || event->value,
                           .frozen_usec =
                                   front_jail_frozen_usec(command->jail) - command->frozen_usec,
                           .uncounted = command->uncounted };
        Cause ordered = command->ordered;

        front_jail_touch(command->jail);
        evidence_end(&command->evidence, command->jail, command->slot, &end);
        if (may_be_filtered(command, event))
                end.filtered = audit_find(*front_jail_audit(command->jail), command->pid,
                                          command->started_msec, &end.killed);
        if (ordered == _CAUSE_MAX && event && event->signal &&
            event->signal == command->client_signal)
                ordered = CAUSE_KILLED_BY_CLIENT;
        cause_decide(&end, event, ordered);
        if (event)
                take_output(command, &end, fds, n_fds);
        else if (command->started_usec)
                end.wall_usec = units_monotonic() - command->started_usec;
        if (command->slot && command->alone && event && event->value)
                (void) slot_kill(command->slot); /* where it fails, its time limit stays */
        if (command->slot)
                slot_release(command->slot, event && event->value);
        command->slot = NULL;
        command->done(command, &end, command->userdata);
        log_end(command, &end); /* after the answer, which somebody waits for */
        jail_book_ended(command->jail, command->id, &end);
        (void) owned;
}

static void on_records(void *userdata) {
        Command *command = userdata;
        Held *held = command->held;

        held->wait = NULL;
        finish(command, &held->event, held->fds, held->n_fds);
}

/* Returns: whether the end waits for on_records(). */
static bool hold(Command *command, const InitEvent *event, int *fds, unsigned n_fds) {
        SCOPED(held_free) Held *held = calloc(1, sizeof(Held));

        command->pid = init_link_pid(front_jail_init(command->jail), event->pid);
        if (!held || command->pid <= 0 || n_fds > ELEMENTS(held->fds))
                return false;
        held->event = *event;
        if (audit_await(front_jail_front(command->jail)->audit, on_records, command, &held->wait) <
            0)
                return false;
        for (; held->n_fds < n_fds; held->n_fds++)
                held->fds[held->n_fds] = TAKE_FD(fds[held->n_fds]);
        command->held = TAKE_PTR(held);
        return true;
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
        jail_book_started(command->jail, command->id);
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
        if (!may_be_filtered(command, event) || !hold(command, event, fds, n_fds))
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
        evidence_begin(&command->evidence, command->jail, slot);
        command->started_msec = audit_clock();
        r = slot_arm(slot, &command->limits, err);
        if (r >= 0)
                r = init_link_send(front_jail_init(command->jail), &packet, on_event, command, err);
        if (r < 0) {
                slot_release(slot, false);
                return r;
        }
        exec_message_sent(message);
        command->slot = slot;
        command->number = message->exec->head.id;
        command->started_usec = units_monotonic();
        command->frozen_usec = front_jail_frozen_usec(command->jail);
        return 0;
}

static void fail_waiting(Command *command, const Error *err) {
        const InitEvent event = { .code = err->code, .step = INIT_STEP_GROUP };

        log_event(LOG_WARNING, "command cannot start", F("COMMAND", command->id), F_ERR(err));
        finish(command, &event, NULL, 0);
}

static bool is_narrow(const Command *command) {
        return command->narrow.memory_bytes || command->narrow.pids;
}

static void on_slot(FrontJail *jail, const char *id, Slot *slot, const Error *why) {
        Command *command = command_find(jail, id);
        Error err = *why;

        if (slot && (!command || command->ordered != _CAUSE_MAX)) {
                slot_release(slot, false);
                slot = NULL;
        }
        if (!command)
                return;
        if (command->ordered != _CAUSE_MAX)
                err = (Error){ .code = -ECANCELED, .text = "ended before it started" };
        if (!slot || launch(command, slot, &err) < 0)
                fail_waiting(command, &err);
}

static int place(Command *command, Error *err) {
        Slots *slots = front_jail_slots(command->jail);
        Slot *slot = is_narrow(command) ? NULL : slots_take(slots, false);
        int r;

        if (slot)
                return launch(command, slot, err);
        r = exec_message_keep(&command->message, err);
        return r < 0 ? r
                     : slot_request(command->jail, command->id,
                                    is_narrow(command) ? &command->narrow : NULL, on_slot, err);
}

/* What is not below the jail's own limit needs no group of its own. */
static CommandLimits narrow_limits(const JailLimits *limits, const CommandSpec *spec) {
        CommandLimits narrow = spec->narrow;

        if (narrow.memory_bytes == 0)
                narrow.memory_bytes = limits->command.memory_bytes;
        if (narrow.pids == 0)
                narrow.pids = limits->command.pids;
        if (narrow.memory_bytes >= limits->plan.memory_bytes)
                narrow.memory_bytes = 0;
        if (narrow.pids >= limits->plan.pids)
                narrow.pids = 0;
        return narrow;
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
        command->narrow = narrow_limits(limits, spec);
        command->frozen_usec = front_jail_frozen_usec(jail);
        command->alone = spec->alone;
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
        if (front_jail_is_frozen(jail))
                return error_say(err, -EBUSY, "jail %s is frozen: `warder thaw %s` first",
                                 front_jail_id(jail), front_jail_id(jail));
        if (commands_count(*head) >= COMMANDS_PER_JAIL_MAX)
                return error_say(err, -EBUSY, "jail %s runs %u commands already",
                                 front_jail_id(jail), COMMANDS_PER_JAIL_MAX);
        r = command_new(jail, spec, &command, err);
        if (r < 0)
                return r;
        command->done = done;
        command->userdata = userdata;
        front_jail_touch(jail);
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

uint64_t command_number(const Command *command) {
        return command->running && !command->held ? command->number : 0;
}

bool command_wall_left(const Command *command, uint64_t *ret_usec) {
        uint64_t own = UINT64_MAX, jail = UINT64_MAX;

        (void) (command->slot && slot_wall_left(command->slot, &own));
        (void) front_jail_wall_left(command->jail, &jail);
        if (own == UINT64_MAX && jail == UINT64_MAX)
                return false;
        *ret_usec = own < jail ? own : jail;
        return true;
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

bool commands_exhausted(FrontJail *jail, Hit hit, uint64_t uncounted) {
        Slots *slots = front_jail_slots(jail);

        if (slots_busy(slots) == 0)
                return false;
        for (Command *at = *front_jail_commands(jail); at; at = at->next) {
                if (!at->slot || at->held || at->ordered != _CAUSE_MAX)
                        continue;
                at->hits |= BIT(hit);
                at->uncounted = uncounted;
                at->ordered = CAUSE_OOM;
        }
        if (slots_kill(slots) < 0)
                front_jail_end(jail, NULL, NULL);
        return true;
}

void commands_jail_gone(FrontJail *jail) {
        while (*front_jail_commands(jail)) {
                Command *command = *front_jail_commands(jail);

                if (!command->held) {
                        finish(command, NULL, NULL, 0);
                        continue;
                }
                command->held->wait = audit_forget(command->held->wait);
                on_records(command);
        }
}
