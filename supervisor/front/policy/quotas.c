/*
 * quotas: see quotas.h.
 *
 * Creates of a minute are a bucket that leaks: a level that each create raises by one and that sinks by the
 * bound in a minute; it may not rise above the bound. It is brought up to now when somebody asks; no timer
 * runs.
 */
#include "supervisor/front/policy/quotas.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/gate/results-job.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/jails/pools.h"

#define BUCKETS      256u
#define OTHER_FDS    800 /* connections, the ledger, more slots of some jails */
#define JAILS_ALWAYS 64
#define JAILS_SPARE \
        16 /* of those for which we have descriptors: for nothing that is only made ahead */
#define MINUTE_USEC 60000000ull
#define CREATE      1000000ull /* in the units of Account.creates */

typedef struct Fault {
        CeilingField field;
        uint64_t used, asked;
        CeilingValue bound;
        unsigned mark; /* of the Error that tells of it */
} Fault;

struct Account {
        Quotas *quotas; /* borrowed */
        Account *next;  /* of its bucket */
        uint32_t uid;
        uint32_t *gids; /* owned, sorted */
        unsigned n_gids;
        unsigned refs;
        uint64_t used[_CEILING_FIELD_MAX];   /* QUOTA_JAILS … QUOTA_TASKS; reserved for imports */
        uint64_t ending[_CEILING_FIELD_MAX]; /* of it: of jails that are being ended */
        uint64_t creates;                    /* millionths of a create, at … */
        uint64_t creates_at;                 /* … this time, monotonic microseconds */
        Ceiling ceiling;                     /* merged when it was last asked for … */
        unsigned count;                      /* … of this state of the file; 0: never */
        Fault fault;
        void *line; /* of turns.c */
};

struct Quotas {
        Front *front;  /* borrowed */
        unsigned most; /* jails for which we have descriptors */
        QuotaTotals totals;
        unsigned n;
        unsigned faults;           /* told of so far: the last one's mark */
        Account *buckets[BUCKETS]; /* owned */
};

/* ---- accounts ------------------------------------------------------------------------------------ */

/* Where the descriptors of a jail do not fit, its answer comes in half, and so does all that follows. */
static unsigned most_jails(void) {
        struct rlimit files = { 0 };
        uint64_t most;

        if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur < OTHER_FDS)
                return JAILS_ALWAYS;
        most = (files.rlim_cur - OTHER_FDS) / _JAIL_FD_MAX;
        if (most < JAILS_ALWAYS)
                return JAILS_ALWAYS;
        return most < FRONT_JAILS_MAX ? (unsigned) most : FRONT_JAILS_MAX;
}

int quotas_new(Front *front, Quotas **ret, Error *err) {
        Quotas *quotas = calloc(1, sizeof *quotas);

        if (!quotas)
                return error_set(err, -ENOMEM, "keep accounts");
        quotas->front = front;
        quotas->most = most_jails();
        *ret = quotas;
        return 0;
}

static void account_free(Account *account) {
        free(account->gids);
        free(account);
}

Quotas *quotas_free(Quotas *quotas) {
        if (!quotas)
                return NULL;
        for (unsigned i = 0; i < BUCKETS; i++)
                while (quotas->buckets[i]) {
                        Account *account = quotas->buckets[i];

                        quotas->buckets[i] = account->next;
                        account_free(account);
                }
        free(quotas);
        return NULL;
}

const QuotaTotals *quotas_totals(const Quotas *quotas) {
        return &quotas->totals;
}

static bool is_idle(const Account *account, uint64_t now) {
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++)
                if (account->used[i])
                        return false;
        return account->refs == 0 &&
               (account->creates == 0 || now - account->creates_at >= MINUTE_USEC) &&
               !account->line;
}

static void sweep(Quotas *quotas, unsigned bucket) {
        uint64_t now = units_monotonic();

        for (Account **at = &quotas->buckets[bucket]; *at;) {
                Account *account = *at;

                if (!is_idle(account, now)) {
                        at = &account->next;
                        continue;
                }
                *at = account->next;
                account_free(account);
                quotas->n--;
        }
}

Account *account_of(Quotas *quotas, uint32_t uid) {
        unsigned bucket = uid % BUCKETS;
        Account *account = quotas->buckets[bucket];

        while (account && account->uid != uid)
                account = account->next;
        if (account)
                return account;
        if (quotas->n < ACCOUNTS_MAX)
                sweep(quotas, bucket);
        else
                for (unsigned i = 0; i < BUCKETS; i++)
                        sweep(quotas, i);
        account = quotas->n < ACCOUNTS_MAX ? calloc(1, sizeof *account) : NULL;
        if (!account)
                return NULL;
        account->quotas = quotas;
        account->uid = uid;
        account->next = quotas->buckets[bucket];
        quotas->buckets[bucket] = account;
        quotas->n++;
        return account;
}

int quota_join(Quotas *quotas, const CeilingWho *who, Account **ret, Error *err) {
        Account *account = account_of(quotas, who->uid);
        uint32_t *gids;

        if (!account)
                return error_say(err, -EDQUOT, "there is no account left for user id %u: try later",
                                 who->uid);
        gids = malloc(who->n_gids * sizeof *gids + 1);
        if (!gids)
                return error_set(err, -ENOMEM, "keep an account");
        if (who->n_gids)
                memcpy(gids, who->gids, who->n_gids * sizeof *gids);
        free(account->gids);
        account->gids = gids;
        account->n_gids = who->n_gids;
        account->count = 0;
        *ret = account_ref(account);
        return 0;
}

Account *account_ref(Account *account) {
        account->refs++;
        return account;
}

Account *account_unref(Account *account) {
        if (account)
                account->refs--;
        return NULL;
}

void **account_line(Account *account) {
        return &account->line;
}

/* ---- ceilings ------------------------------------------------------------------------------------ */

static int account_ceiling(Account *account, Error *err) {
        Front *front = account->quotas->front;
        const CeilingWho who = { account->uid, account->gids, account->n_gids };
        const Ceilings *ceilings;
        int r;

        r = ceilings_file_now(front->ceilings, &ceilings, err);
        if (r < 0)
                return r;
        if (account->count == ceilings_file_count(front->ceilings))
                return 0;
        account->count = ceilings_file_count(front->ceilings);
        ceilings_of(ceilings, &front->info, &who, &account->ceiling);
        return 0;
}

static int find(Front *front, uint32_t uid, Account **ret, Error *err) {
        Account *account = account_of(front->quotas, uid);

        if (!account)
                return error_say(err, -EDQUOT, "there is no account left for user id %u", uid);
        *ret = account;
        return account_ceiling(account, err);
}

int quota_ceiling(Front *front, uint32_t uid, const Ceiling **ret, Error *err) {
        Account *account;
        int r = find(front, uid, &account, err);

        if (r >= 0)
                *ret = &account->ceiling;
        return r;
}

/* ---- charging ------------------------------------------------------------------------------------ */

static const char *amount(CeilingField field, uint64_t value, char *text) {
        if (field == QUOTA_MEMORY || field == QUOTA_DISK || field == QUOTA_SNAPSHOT_DISK ||
            field == QUOTA_WORKSPACE_DISK)
                return units_format_size(value, text);
        if (field == QUOTA_CPU)
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu%%", (unsigned long long) value / 10);
        else
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu", (unsigned long long) value);
        return text;
}

static int exceed(Account *account, const Fault *fault, Error *err) {
        char used[UNITS_TEXT_MAX], asked[UNITS_TEXT_MAX], bound[UNITS_TEXT_MAX];
        char source[CEILING_SOURCE_MAX];

        account->fault = *fault;
        account->fault.mark = ++account->quotas->faults;
        (void) error_say(
                err, -EDQUOT, "%s: you may have %s, have %s, and ask for %s (%s)",
                ceiling_field_name(fault->field), amount(fault->field, fault->bound.value, bound),
                amount(fault->field, fault->used, used), amount(fault->field, fault->asked, asked),
                ceiling_source(&fault->bound, source));
        if (err)
                err->mark = account->fault.mark;
        return -EDQUOT;
}

static int check(Account *account, CeilingField field, uint64_t used, uint64_t asked, Error *err) {
        const CeilingValue *bound = &account->ceiling.items[field];
        const Fault fault = { field, used, asked, *bound, 0 };

        if (bound->value == CEILING_NONE || (used <= bound->value && asked <= bound->value - used))
                return 0;
        return exceed(account, &fault, err);
}

typedef struct Charge {
        CeilingField field;
        uint64_t amount;
} Charge;

#define JAIL_CHARGES 5

static void jail_charges(const PlanLimits *limits, Charge *charges) {
        charges[0] = (Charge){ QUOTA_JAILS, 1 };
        charges[1] = (Charge){ QUOTA_MEMORY, limits->memory_bytes };
        charges[2] = (Charge){ QUOTA_CPU, limits->cpu_permille };
        charges[3] = (Charge){ QUOTA_DISK, limits->disk_bytes };
        charges[4] = (Charge){ QUOTA_PIDS, limits->pids };
}

static uint64_t alive(const Account *account, CeilingField field) {
        return account->used[field] - account->ending[field];
}

static int check_jail(Account *account, const Charge *charges, Error *err) {
        const Fault most = {
                QUOTA_JAILS, alive(account, QUOTA_JAILS), 1, { .value = FRONT_JAILS_PER_UID_MAX }, 0
        };
        int r = 0;

        if (most.used >= FRONT_JAILS_PER_UID_MAX)
                return exceed(account, &most, err);
        for (unsigned i = 0; r >= 0 && i < JAIL_CHARGES; i++)
                r = check(account, charges[i].field, alive(account, charges[i].field),
                          charges[i].amount, err);
        return r;
}

/* Of what is being ended as much as the bound is let pass. */
static bool is_held(const Account *account, const Charge *charge) {
        uint64_t bound = account->ceiling.items[charge->field].value;
        uint64_t ending = account->ending[charge->field];

        if (charge->field == QUOTA_JAILS && account->used[QUOTA_JAILS] >= FRONT_JAILS_PER_UID_MAX)
                return ending > 0;
        return bound != CEILING_NONE && ending > bound &&
               account->used[charge->field] - bound + charge->amount > bound;
}

bool quota_is_held(Front *front, uint32_t uid, const PlanLimits *limits) {
        Charge charges[JAIL_CHARGES];
        Account *account;
        bool held = false;

        if (find(front, uid, &account, NULL) < 0)
                return false;
        jail_charges(limits, charges);
        for (unsigned i = 0; i < JAIL_CHARGES; i++)
                held |= is_held(account, &charges[i]);
        return held;
}

bool quota_has_room(Front *front, uint32_t uid, const PlanLimits *limits) {
        Charge charges[JAIL_CHARGES];
        Account *account;

        jail_charges(limits, charges);
        return front->quotas->totals.jails + JAILS_SPARE < front->quotas->most &&
               find(front, uid, &account, NULL) >= 0 && check_jail(account, charges, NULL) >= 0;
}

/* As if one jail more were being ended */
static void add_ending(const PlanLimits *limits, void *userdata) {
        Account *account = userdata;
        Charge charges[JAIL_CHARGES];

        jail_charges(limits, charges);
        for (unsigned i = 0; i < JAIL_CHARGES; i++)
                account->ending[charges[i].field] += charges[i].amount;
}

/* Would it fit if nothing were in the user's pools? */
static bool fits_without_pools(Front *front, Account *account, const Charge *charges) {
        uint64_t kept[ELEMENTS(account->ending)];
        bool fits;

        memcpy(kept, account->ending, sizeof kept);
        pools_each_jail(front, account->uid, add_ending, account);
        fits = check_jail(account, charges, NULL) >= 0;
        memcpy(account->ending, kept, sizeof kept);
        return fits;
}

/* What was only made ahead goes first; but no pool goes for what is refused all the same */
static int make_room(Front *front, Account *account, const Charge *charges, Error *err) {
        while (check_jail(account, charges, NULL) < 0) {
                if (results_let_go(front, account->uid))
                        continue;
                if (!fits_without_pools(front, account, charges) ||
                    !pools_let_go(front, account->uid))
                        return check_jail(account, charges, err);
        }
        return 0;
}

int quota_check_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err) {
        Charge charges[JAIL_CHARGES];
        Account *account;
        int r = find(front, uid, &account, err);

        jail_charges(limits, charges);
        return r < 0 ? r : make_room(front, account, charges, err);
}

int quota_charge_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err) {
        QuotaTotals *totals = &front->quotas->totals;
        Charge charges[JAIL_CHARGES];
        Account *account;
        int r;

        if (totals->jails >= front->quotas->most) { /* the next one has the room of what goes now */
                (void) pools_let_go_any(front);
                return error_say(err, -EBUSY, "this host has no room for another jail: try later");
        }
        r = find(front, uid, &account, err);
        if (r < 0)
                return r;
        jail_charges(limits, charges);
        r = make_room(front, account, charges, err);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < JAIL_CHARGES; i++)
                account->used[charges[i].field] += charges[i].amount;
        totals->jails++;
        totals->memory += limits->memory_bytes;
        return 0;
}

void quota_end_jail(Front *front, uint32_t uid, const PlanLimits *limits) {
        Account *account = account_of(front->quotas, uid);
        Charge charges[JAIL_CHARGES];

        jail_charges(limits, charges);
        for (unsigned i = 0; account && i < JAIL_CHARGES; i++)
                account->ending[charges[i].field] += charges[i].amount;
}

void quota_release_jail(Front *front, uint32_t uid, const PlanLimits *limits, bool ended) {
        Account *account = account_of(front->quotas, uid); /* it has something, so it is there */
        Charge charges[JAIL_CHARGES];

        front->quotas->totals.jails--;
        front->quotas->totals.memory -= limits->memory_bytes;
        jail_charges(limits, charges);
        for (unsigned i = 0; account && i < JAIL_CHARGES; i++) {
                account->used[charges[i].field] -= charges[i].amount;
                account->ending[charges[i].field] -= ended ? charges[i].amount : 0;
        }
}

int quota_charge_task(Front *front, uint32_t uid, Error *err) {
        Account *account;
        int r = find(front, uid, &account, err);

        if (r >= 0)
                r = check(account, QUOTA_TASKS, account->used[QUOTA_TASKS], 1, err);
        if (r >= 0)
                account->used[QUOTA_TASKS]++;
        return r;
}

void quota_release_task(Front *front, uint32_t uid) {
        Account *account = account_of(front->quotas, uid);

        if (account)
                account->used[QUOTA_TASKS]--;
}

int quota_reserve_import(Front *front, uint32_t uid, uint64_t bytes, Error *err) {
        Account *account = account_of(front->quotas, uid);

        if (!account)
                return error_say(err, -EDQUOT, "there is no account left for user id %u", uid);
        account->used[QUOTA_SNAPSHOT_DISK] += bytes;
        return 0;
}

void quota_release_import(Front *front, uint32_t uid, uint64_t bytes) {
        Account *account = account_of(front->quotas, uid);

        if (account)
                account->used[QUOTA_SNAPSHOT_DISK] -= bytes;
}

uint64_t quota_reserved(Front *front, uint32_t uid) {
        const Account *account = account_of(front->quotas, uid);

        return account ? account->used[QUOTA_SNAPSHOT_DISK] : 0;
}

static void leak(Account *account, uint64_t bound) {
        uint64_t now = units_monotonic(), past = now - account->creates_at, lost;

        lost = past >= MINUTE_USEC ? UINT64_MAX : past * bound / 60;
        account->creates = account->creates > lost ? account->creates - lost : 0;
        account->creates_at = now;
}

int quota_charge_create(Front *front, uint32_t uid, Error *err) {
        return quota_charge_creates(front, uid, 1, err);
}

int quota_charge_creates(Front *front, uint32_t uid, unsigned n, Error *err) {
        Fault fault = { .field = QUOTA_CREATES, .asked = n };
        Account *account;
        int r = find(front, uid, &account, err);

        if (r < 0)
                return r;
        fault.bound = account->ceiling.items[QUOTA_CREATES];
        if (fault.bound.value == CEILING_NONE)
                return 0;
        leak(account, fault.bound.value);
        if (account->creates + n * CREATE > fault.bound.value * CREATE) {
                fault.used = (account->creates + CREATE - 1) / CREATE;
                return exceed(account, &fault, err);
        }
        account->creates += n * CREATE;
        return 0;
}

uint64_t quota_used(Front *front, uint32_t uid, CeilingField field) {
        Account *account;

        if (find(front, uid, &account, NULL) < 0)
                return 0;
        if (field != QUOTA_CREATES)
                return account->used[field] - account->ending[field];
        leak(account, account->ceiling.items[QUOTA_CREATES].value);
        return (account->creates + CREATE - 1) / CREATE;
}

int quota_check(Front *front, uint32_t uid, CeilingField field, uint64_t used, uint64_t more,
                Error *err) {
        Account *account;
        int r = find(front, uid, &account, err);

        return r < 0 ? r : check(account, field, used, more, err);
}

void quota_refuse(Front *front, Call *call, const Error *err) {
        const Account *account = account_of(front->quotas, call_peer(call)->uid);
        char source[CEILING_SOURCE_MAX];
        cJSON *data;

        if (!account || err->mark == 0 || err->mark != account->fault.mark)
                return;
        call_refuse(call, "quota", NULL,
                    account->fault.field == QUOTA_CREATES
                            ? "wait a minute, or ask the administrator for more"
                            : "end something of yours, or ask the administrator for more");
        data = call_data(call);
        json_add_text(data, "field", ceiling_field_name(account->fault.field));
        json_add_number(data, "used", account->fault.used);
        json_add_number(data, "asked", account->fault.asked);
        json_add_number(data, "bound", account->fault.bound.value);
        json_add_text(data, "source", ceiling_source(&account->fault.bound, source));
}
