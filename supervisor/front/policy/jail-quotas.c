/*
 * jail-quotas: see jail-quotas.h.
 */
#include "supervisor/front/policy/jail-quotas.h"

#include <string.h>

#include "base/owned.h"
#include "supervisor/front/gate/results-job.h"
#include "supervisor/front/jails/pools.h"
#include "supervisor/front/policy/accounts.h"
#include "supervisor/front/policy/quotas.h"

#define JAILS_SPARE \
        16 /* of those for which we have descriptors: for nothing that is only made ahead */

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

/* Of @n like it, together */
static void jails_charges(const PlanLimits *limits, unsigned n, Charge *charges) {
        jail_charges(limits, charges);
        for (unsigned i = 0; i < JAIL_CHARGES; i++)
                if (__builtin_mul_overflow(charges[i].amount, n, &charges[i].amount))
                        charges[i].amount = UINT64_MAX;
}

static uint64_t alive(const Account *account, CeilingField field) {
        return account->used[field] - account->ending[field];
}

static int check_jail(Account *account, const Charge *charges, Error *err) {
        const AccountFault most = {
                .field = QUOTA_JAILS,
                .used = alive(account, QUOTA_JAILS),
                .asked = charges[0].amount,
                .bound = { .value = FRONT_JAILS_PER_UID_MAX },
        };
        int r = 0;

        if (most.used + most.asked > FRONT_JAILS_PER_UID_MAX)
                return quota_exceed(account, &most, err);
        for (unsigned i = 0; r >= 0 && i < JAIL_CHARGES; i++)
                r = quota_check_account(account, charges[i].field, alive(account, charges[i].field),
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

        if (account_find(front, uid, &account, NULL) < 0)
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
        return front->accounts->totals.jails + JAILS_SPARE < front->accounts->most &&
               account_find(front, uid, &account, NULL) >= 0 &&
               check_jail(account, charges, NULL) >= 0;
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
        return quota_check_jails(front, uid, limits, 1, err);
}

int quota_check_jails(Front *front, uint32_t uid, const PlanLimits *limits, unsigned n,
                      Error *err) {
        Charge charges[JAIL_CHARGES];
        Account *account;
        int r = account_find(front, uid, &account, err);

        jails_charges(limits, n, charges);
        return r < 0 ? r : make_room(front, account, charges, err);
}

int quota_charge_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err) {
        AccountTotals *totals = &front->accounts->totals;
        Charge charges[JAIL_CHARGES];
        Account *account;
        int r;

        if (totals->jails >=
            front->accounts->most) { /* the next one has the room of what goes now */
                (void) pools_let_go_any(front);
                return error_say(err, -EBUSY, "this host has no room for another jail: try later");
        }
        r = account_find(front, uid, &account, err);
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
        Account *account = account_of(front->accounts, uid);
        Charge charges[JAIL_CHARGES];

        jail_charges(limits, charges);
        for (unsigned i = 0; account && i < JAIL_CHARGES; i++)
                account->ending[charges[i].field] += charges[i].amount;
}

void quota_release_jail(Front *front, uint32_t uid, const PlanLimits *limits, bool ended) {
        Account *account = account_of(front->accounts, uid); /* it has something, so it is there */
        Charge charges[JAIL_CHARGES];

        front->accounts->totals.jails--;
        front->accounts->totals.memory -= limits->memory_bytes;
        jail_charges(limits, charges);
        for (unsigned i = 0; account && i < JAIL_CHARGES; i++) {
                account->used[charges[i].field] -= charges[i].amount;
                account->ending[charges[i].field] -= ended ? charges[i].amount : 0;
        }
}
