/*
 * accounts: see accounts.h.
 */
#include "supervisor/front/policy/accounts.h"

#include <string.h>
#include <sys/resource.h>

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/jails/jails.h"

#define OTHER_FDS    800 /* connections, the ledger, more slots of some jails */
#define JAILS_ALWAYS 64

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

int accounts_new(Front *front, Accounts **ret, Error *err) {
        Accounts *accounts = calloc(1, sizeof *accounts);

        if (!accounts)
                return error_set(err, -ENOMEM, "keep accounts");
        accounts->front = front;
        accounts->most = most_jails();
        *ret = accounts;
        return 0;
}

static void account_free(Account *account) {
        free(account->gids);
        free(account);
}

Accounts *accounts_free(Accounts *accounts) {
        if (!accounts)
                return NULL;
        for (unsigned i = 0; i < ACCOUNTS_BUCKETS; i++)
                while (accounts->buckets[i]) {
                        Account *account = accounts->buckets[i];

                        accounts->buckets[i] = account->next;
                        account_free(account);
                }
        free(accounts);
        return NULL;
}

const AccountTotals *accounts_totals(const Accounts *accounts) {
        return &accounts->totals;
}

static bool is_idle(const Account *account, uint64_t now) {
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++)
                if (account->used[i])
                        return false;
        return account->refs == 0 &&
               (account->creates == 0 || now - account->creates_at >= ACCOUNT_MINUTE_USEC) &&
               !account->line;
}

static void sweep(Accounts *accounts, unsigned bucket) {
        uint64_t now = units_monotonic();

        for (Account **at = &accounts->buckets[bucket]; *at;) {
                Account *account = *at;

                if (!is_idle(account, now)) {
                        at = &account->next;
                        continue;
                }
                *at = account->next;
                account_free(account);
                accounts->n--;
        }
}

Account *account_of(Accounts *accounts, uint32_t uid) {
        unsigned bucket = uid % ACCOUNTS_BUCKETS;
        Account *account = accounts->buckets[bucket];

        while (account && account->uid != uid)
                account = account->next;
        if (account)
                return account;
        if (accounts->n < ACCOUNTS_MAX)
                sweep(accounts, bucket);
        else
                for (unsigned i = 0; i < ACCOUNTS_BUCKETS; i++)
                        sweep(accounts, i);
        account = accounts->n < ACCOUNTS_MAX ? calloc(1, sizeof *account) : NULL;
        if (!account)
                return NULL;
        account->accounts = accounts;
        account->uid = uid;
        account->next = accounts->buckets[bucket];
        accounts->buckets[bucket] = account;
        accounts->n++;
        return account;
}

int account_join(Accounts *accounts, const CeilingWho *who, Account **ret, Error *err) {
        Account *account = account_of(accounts, who->uid);
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

static int account_ceiling(Account *account, Error *err) {
        Front *front = account->accounts->front;
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

int account_find(Front *front, uint32_t uid, Account **ret, Error *err) {
        Account *account = account_of(front->accounts, uid);

        if (!account)
                return error_say(err, -EDQUOT, "there is no account left for user id %u", uid);
        *ret = account;
        return account_ceiling(account, err);
}
