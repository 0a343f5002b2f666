#pragma once
/*
 * accounts: an account a user id, with the sums over what the user has and the ceiling that holds for it. What is
 * charged to it, and given back, is the business of quotas.h and jail-quotas.h.
 *
 * An account knows the groups of its user's newest connection; the entries of ceilings.json for these
 * groups count. It stays while something of it is alive, and until its creates of the last minute are
 * forgotten, so that nobody gets a fresh one by leaving.
 */
#include "supervisor/front/front.h"
#include "supervisor/front/policy/ceilings-file.h"

#define ACCOUNTS_MAX        4096
#define ACCOUNTS_BUCKETS    256u
#define ACCOUNT_MINUTE_USEC 60000000ull /* after which a create is forgotten */

typedef struct Account Account;

typedef struct AccountTotals { /* of all users */
        unsigned jails;
        uint64_t memory; /* sum of the jails' limits */
} AccountTotals;

typedef struct AccountFault { /* what was asked for beyond a bound */
        CeilingField field;
        uint64_t used, asked;
        CeilingValue bound;
        unsigned mark; /* of the Error that tells of it */
} AccountFault;

struct Account {
        Accounts *accounts; /* borrowed */
        Account *next;      /* of its bucket */
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
        AccountFault fault;
        void *line; /* turns.c keeps the account's there */
};

struct Accounts {
        Front *front;  /* borrowed */
        unsigned most; /* jails for which we have descriptors */
        AccountTotals totals;
        unsigned n;
        unsigned faults;                    /* told of so far: the last one's mark */
        Account *buckets[ACCOUNTS_BUCKETS]; /* owned */
};

/** accounts_new() - nobody has anything */
int accounts_new(Front *front, Accounts **ret, Error *err);
/** accounts_free() - NULL is fine. Returns: NULL */
Accounts *accounts_free(Accounts *accounts);
/** accounts_totals() - borrowed */
const AccountTotals *accounts_totals(const Accounts *accounts);

/** account_join() - a caller is here, with these groups; account_unref() when it goes. Returns: 0, -ENOMEM, -EDQUOT */
int account_join(Accounts *accounts, const CeilingWho *who, Account **ret, Error *err);
/** account_of() - made where there is none; NULL: no memory, or ACCOUNTS_MAX. Borrowed: take a reference to keep it */
Account *account_of(Accounts *accounts, uint32_t uid);
/** account_find() - the same, with the ceiling that holds now. Returns: 0, -EDQUOT: no account, or as ceilings_file_now() */
int account_find(Front *front, uint32_t uid, Account **ret, Error *err);
/** account_ref() - Returns: @account */
Account *account_ref(Account *account);
/** account_unref() - NULL is fine. Returns: NULL */
Account *account_unref(Account *account);
