/*
 * turns: see turns.h.
 *
 * Lines are a ring of users; each has a queue of its own. Whoever is at the head of the first line is
 * looked at first: where it does not fit, all wait, so that a large one is not starved by small ones; but
 * for some time only, or small ones were starved by a large one (hold.h). Whose head was served, gave up or
 * went goes behind all others. Two things make us look: a jail that has ended (turns_touch()), and, for what no event tells of
 * (memory of others, pressure), a timer that runs only while somebody waits.
 */
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/policy/accounts.h"
#include "supervisor/front/policy/jail-quotas.h"

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/jails/pools.h"
#include "supervisor/front/policy/hold.h"
#include "supervisor/front/policy/host-room.h"

#define LOOK_USEC     500000 /* between two looks at the host while somebody waits */
#define LOOK_ACCURACY 100000
#define HOLD_SHARE    4 /* of the longest wait: how long at a stretch others are held up */

typedef struct Line Line;

struct Line { /* of one user; there while it has a turn */
        Line *next;
        Account *account; /* owned reference */
        Turn *first, *last;
        unsigned n;
};

struct Turn {
        Turns *turns; /* borrowed */
        Turn *next;
        Line *line;
        Client *client; /* borrowed; watched */
        TurnSpec spec;
        sd_event_source *limit; /* owned */
};

struct Turns {
        Front *front;           /* borrowed */
        Line *first, *last;     /* owned */
        unsigned n;             /* turns of all lines */
        sd_event_source *timer; /* owned: the next look */
        Hold hold;
};

/* ---- is there room ------------------------------------------------------------------------------- */

/* Their own ended jails come first: whoever waits for these holds up nobody else. */
static bool is_held(Front *front, const TurnSpec *spec, HostFull *full) {
        if (!quota_is_held(front, call_peer(spec->call)->uid, spec->limits))
                return false;
        full->is_own = true;
        return host_full_say(full, "ending", "jails of yours are still being cleared away");
}

static bool is_full(const Front *front, const HostRules *rules, const TurnSpec *spec,
                    HostFull *full) {
        HostNeed need = { .jails = spec->n ? spec->n : 1 };

        if (__builtin_mul_overflow(spec->limits->memory_bytes, need.jails, &need.memory))
                need.memory = UINT64_MAX;
        return host_is_full(front, rules, &need, full);
}

static bool is_blocked(Front *front, const HostRules *rules, const TurnSpec *spec, HostFull *full) {
        return is_held(front, spec, full) || is_full(front, rules, spec, full);
}

bool turn_has_room(Front *front, uint32_t uid, const PlanLimits *limits) {
        const TurnSpec one = { .limits = limits };
        Error err = ERROR_EMPTY;
        HostRules rules;
        HostFull full = { 0 };

        return turns_waiting(front->turns) == 0 && host_rules_now(front, &rules, &err) >= 0 &&
               quota_has_room(front, uid, limits) && !quota_is_held(front, uid, limits) &&
               !is_full(front, &rules, &one, &full);
}

/* ---- lines --------------------------------------------------------------------------------------- */

static void unlink_line(Turns *turns, Line *line) {
        Line **at = &turns->first, *before = NULL;

        while (*at && *at != line) {
                before = *at;
                at = &before->next;
        }
        *at = line->next;
        if (turns->last == line)
                turns->last = before;
}

static void drop_line(Turns *turns, Line *line) {
        unlink_line(turns, line);
        line->account->line = NULL;
        account_unref(line->account);
        free(line);
}

static void push_line(Turns *turns, Line *line) {
        line->next = NULL;
        if (turns->last)
                turns->last->next = line;
        else
                turns->first = line;
        turns->last = line;
}

static Line *line_of(Turns *turns, uint32_t uid) {
        Account *account = account_of(turns->front->accounts, uid);
        Line *line = account ? account->line : NULL;

        if (line || !account)
                return line;
        line = calloc(1, sizeof *line);
        if (!line)
                return NULL;
        line->account = account_ref(account);
        account->line = line;
        push_line(turns, line);
        return line;
}

/* Whose head goes, served or not, goes behind all others: a place is not kept by coming again. */
static void rotate(Turns *turns, Line *line) {
        unlink_line(turns, line);
        push_line(turns, line);
}

/* The first from @line on that does not wait for its own. NULL: none */
static Line *skip_held(const Turns *turns, Line *line) {
        HostFull full;

        while (line && is_held(turns->front, &line->first->spec, &full))
                line = line->next;
        return line;
}

/* Whose turn it is. NULL: nobody's */
static Line *next_line(const Turns *turns) {
        return skip_held(turns, turns->first);
}

static bool fits(const Turns *turns, const HostRules *rules, const Line *line) {
        HostFull full;

        return !is_full(turns->front, rules, &line->first->spec, &full);
}

/* Who is served now: whose turn it is; where that one has held up others for long enough, the first that
 * fits. NULL: nobody */
static Line *choose(Turns *turns, const HostRules *rules) {
        bool may_pass = hold_look(&turns->hold, units_monotonic(), rules->wait_usec / HOLD_SHARE);
        Line *line = next_line(turns);

        hold_set(&turns->hold, false);
        if (!line || fits(turns, rules, line))
                return line;
        do
                line = skip_held(turns, line->next);
        while (line && !fits(turns, rules, line));
        if (line && may_pass)
                return line;
        hold_set(&turns->hold, line);
        return NULL;
}

static void on_client_gone(Client *client, void *userdata);

static Turn *turn_free(Turn *turn) {
        Line *line = turn->line;
        Turn **at = &line->first, *before = NULL;

        while (*at && *at != turn) {
                before = *at;
                at = &before->next;
        }
        if (*at) {
                *at = turn->next;
                if (line->last == turn)
                        line->last = before;
                line->n--;
                turn->turns->n--;
        }
        if (line->n == 0)
                drop_line(turn->turns, line);
        if (turn->client)
                client_unwatch(turn->client, on_client_gone, turn);
        sd_event_source_disable_unref(turn->limit);
        free(turn);
        return NULL;
}

/* Out of its line first: what follows may ask for a turn again. */
static void end_turn(Turn *turn, const Error *err) {
        TurnFn go = turn->spec.go;
        void *userdata = turn->spec.userdata;

        turn_free(turn);
        go(err, userdata);
}

/* Before a turn goes unserved */
static void give_way(Turn *turn) {
        if (turn->line->first == turn)
                rotate(turn->turns, turn->line);
}

static void on_client_gone(Client *client, void *userdata) {
        Turn *turn = userdata;
        Error err = ERROR_EMPTY;

        (void) client;
        turn->client = NULL;
        error_say(&err, -ECANCELED, "the client has gone");
        give_way(turn);
        turns_touch(turn->turns);
        end_turn(turn, &err);
}

static Turn *find_turn(const Turns *turns, const Call *call) {
        for (const Line *line = turns->first; line; line = line->next)
                for (Turn *turn = line->first; turn; turn = turn->next)
                        if (turn->spec.call == call)
                                return turn;
        return NULL;
}

bool turn_cancel(Turns *turns, const Call *call) {
        Turn *turn = find_turn(turns, call);

        if (!turn)
                return false;
        give_way(turn);
        turn_free(turn);
        turns_touch(turns);
        return true;
}

static void refuse(Call *call, const char *which, bool for_ever) {
        call_refuse(call, "limit", NULL, for_ever ? "ask for less" : "try later, or ask for less");
        json_add_text(call_data(call), "which", which);
}

static int on_limit(sd_event_source *source, uint64_t usec, void *userdata) {
        Turn *turn = userdata;
        Turns *turns = turn->turns;
        HostRules rules = { 0 };
        HostFull full = { .which = "jails" };
        Error err = ERROR_EMPTY;

        (void) source;
        (void) usec;
        if (host_rules_now(turns->front, &rules, NULL) < 0 ||
            !is_blocked(turns->front, &rules, &turn->spec, &full))
                (void) host_full_say(&full, "queue", "others came first");
        refuse(turn->spec.call, full.which, false);
        error_say(&err, -ETIMEDOUT, "%s: %s",
                  full.is_own ? "there was no room in time" : "the host is full, and stayed so",
                  full.why);
        give_way(turn);
        turns_touch(turns);
        end_turn(turn, &err);
        return 0;
}

/* ---- looking ------------------------------------------------------------------------------------- */

static int on_look(sd_event_source *source, uint64_t usec, void *userdata) {
        Turns *turns = userdata;
        uint64_t left;
        HostRules rules;
        Line *line;

        (void) usec;
        while (host_rules_now(turns->front, &rules, NULL) >= 0 && (line = choose(turns, &rules))) {
                rotate(turns, line);
                end_turn(line->first, NULL);
        }
        if (!turns->first)
                return 0;
        if (next_line(turns)) /* what was only made ahead goes, one at a time: its end is a look */
                (void) pools_let_go_any(turns->front);
        left = hold_left(&turns->hold);
        (void) sd_event_source_set_time_relative(source, left < LOOK_USEC ? left : LOOK_USEC);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

void turns_touch(Turns *turns) {
        if (!turns || !turns->first)
                return;
        (void) sd_event_source_set_time_relative(turns->timer, 0);
        (void) sd_event_source_set_enabled(turns->timer, SD_EVENT_ONESHOT);
}

int turns_new(Front *front, Turns **ret, Error *err) {
        autofree Turns *turns = calloc(1, sizeof *turns);
        int r = turns ? 0 : -ENOMEM;

        if (r >= 0)
                r = sd_event_add_time_relative(front->event, &turns->timer, CLOCK_MONOTONIC, 0,
                                               LOOK_ACCURACY, on_look, turns);
        if (r >= 0)
                r = sd_event_source_set_enabled(turns->timer, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, r, "watch for room on the host");
        (void) sd_event_source_set_description(turns->timer, "turns");
        turns->front = front;
        *ret = TAKE_PTR(turns);
        return 0;
}

Turns *turns_free(Turns *turns) {
        if (!turns)
                return NULL;
        while (turns->first)
                turn_free(turns->first->first);
        sd_event_source_disable_unref(turns->timer);
        free(turns);
        return NULL;
}

unsigned turns_waiting(const Turns *turns) {
        return turns->n;
}

/* ---- asking -------------------------------------------------------------------------------------- */

/* Of the other lines at most one more each than we have before us come first. */
static unsigned position(const Turns *turns, const Line *own) {
        unsigned n = own->n;

        for (const Line *line = turns->first; line; line = line->next)
                if (line != own)
                        n += line->n < own->n ? line->n : own->n;
        return n;
}

static void tell(const Turn *turn, const HostFull *full) {
        cJSON *params = cJSON_CreateObject();

        json_add_number(params, "position", position(turn->turns, turn->line));
        json_add_text(params, "which", full->which);
        json_add_text(params, "text", full->why);
        call_notify(turn->spec.call, "jail.waiting", params);
}

/* Where anything fails the turn is not in its line yet; an empty line goes with it. */
static int start(Turn *turn, const HostRules *rules) {
        Turns *turns = turn->turns;
        int r;

        r = sd_event_add_time_relative(turns->front->event, &turn->limit, CLOCK_MONOTONIC,
                                       rules->wait_usec, LOOK_ACCURACY, on_limit, turn);
        if (r >= 0)
                r = client_watch(call_client(turn->spec.call), on_client_gone, turn);
        if (r < 0)
                return r;
        turn->client = call_client(turn->spec.call);
        if (turn->line->last)
                turn->line->last->next = turn;
        else
                turn->line->first = turn;
        turn->line->last = turn;
        turn->line->n++;
        turns->n++;
        return 0;
}

static int wait_for(Turn *turn, const HostRules *rules, const HostFull *full, Error *err) {
        Turns *turns = turn->turns;

        if (!call_client(turn->spec.call))
                return error_say(err, -ECANCELED, "the client has gone");
        turn->line = line_of(turns, call_peer(turn->spec.call)->uid);
        if (!turn->line)
                return error_set(err, -ENOMEM, "wait for room");
        if (turns->n >= rules->queue || turn->line->n >= rules->queue_per_uid) {
                refuse(turn->spec.call, full->which, false);
                error_say(err, -ETIMEDOUT, "%s, and %s: %s",
                          full->is_own ? "there is no room" : "the host is full",
                          turns->n >= rules->queue ? "so many wait already that nobody else may"
                                                   : "you have as many waiting as you may have",
                          full->why);
        } else if (start(turn, rules) < 0) {
                error_set(err, -ENOMEM, "wait for room");
        } else {
                tell(turn, full);
                turns_touch(turns);
                return 0;
        }
        return err->code;
}

/* Is somebody there whom this user may not pass? */
static bool waits(Turns *turns, const HostRules *rules, uint32_t uid) {
        Account *account = account_of(turns->front->accounts, uid);

        if (account && account->line)
                return true;
        return next_line(turns) &&
               !hold_look(&turns->hold, units_monotonic(), rules->wait_usec / HOLD_SHARE);
}

int turn_take(Front *front, const TurnSpec *spec, Error *err) {
        Turns *turns = front->turns;
        HostFull full = { .which = "queue", .why = "others came first" };
        HostRules rules;
        Turn *turn;
        int r;

        r = host_rules_now(front, &rules, err);
        if (r < 0)
                return r;
        if (!is_blocked(front, &rules, spec, &full) &&
            !waits(turns, &rules, call_peer(spec->call)->uid))
                return 0;
        if (full.for_ever) {
                refuse(spec->call, full.which, true);
                return error_say(err, -ETIMEDOUT, "this host can never have what is asked for: %s",
                                 full.why);
        }
        turn = calloc(1, sizeof *turn);
        if (!turn)
                return error_set(err, -ENOMEM, "wait for room");
        *turn = (Turn){ .turns = turns, .spec = *spec };
        r = wait_for(turn, &rules, &full, err);
        if (r >= 0)
                return TURN_E_WAITS;
        if (turn->line)
                turn_free(turn);
        else
                free(turn);
        return r;
}
