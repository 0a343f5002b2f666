#pragma once
/*
 * quotas: what each user has, and may have: an account a user id, with the sums over its jails and tasks.
 * Everything is charged before it is made, here, and given back by the same path.
 *
 * An account knows the groups of its user's newest connection; the entries of ceilings.json for these
 * groups count. It stays while something of it is alive, and until its creates of the last minute are
 * forgotten, so that nobody gets a fresh one by leaving.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/policy/ceilings-file.h"

#define ACCOUNTS_MAX 4096

typedef struct Account Account;

typedef struct QuotaTotals { /* of all users */
        unsigned jails;
        uint64_t memory; /* sum of the jails' limits */
} QuotaTotals;

/** quotas_new() - nobody has anything */
int quotas_new(Front *front, Quotas **ret, Error *err);
/** quotas_free() - NULL is fine. Returns: NULL */
Quotas *quotas_free(Quotas *quotas);
/** quotas_totals() - borrowed */
const QuotaTotals *quotas_totals(const Quotas *quotas);

/** quota_join() - a caller is here, with these groups; account_unref() when it goes. Returns: 0, -ENOMEM, -EDQUOT */
int quota_join(Quotas *quotas, const CeilingWho *who, Account **ret, Error *err);
/** account_of() - made where there is none; NULL: no memory, or ACCOUNTS_MAX. Borrowed: take a reference to keep it */
Account *account_of(Quotas *quotas, uint32_t uid);
/** account_ref() - Returns: @account */
Account *account_ref(Account *account);
/** account_unref() - NULL is fine. Returns: NULL */
Account *account_unref(Account *account);
/** account_line() - for turns.c: where it keeps the account's line */
void **account_line(Account *account);

/** quota_ceiling() - what holds for a user, borrowed until the loop goes on; for policies and `policy show` */
int quota_ceiling(Front *front, uint32_t uid, const Ceiling **ret, Error *err);

/** quota_used() - what a user has of a field that is counted here (QUOTA_JAILS to QUOTA_CREATES); 0: no account */
uint64_t quota_used(Front *front, uint32_t uid, CeilingField field);

/** quota_charge_jail() - before a jail is asked for. Returns: 0, -EDQUOT (quota_refuse() knows more) */
int quota_charge_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err);
/**
 * quota_end_jail() - it is being ended: nothing of it runs any more, the kernel clears away
 *
 * From here on it is not counted, or who has a quota of one could not run two commands one after the other.
 * What the host still holds of it is quota_is_held()'s.
 */
void quota_end_jail(Front *front, uint32_t uid, const PlanLimits *limits);
/**
 * quota_is_held() - must a jail that the quota allows wait, because the host still holds this user's last ones
 *
 * Whoever ends faster than the kernel clears has twice its quota at most: as much again is let pass while it
 * is being ended, and beyond that a request waits for the kernel (turns.h) and is not refused.
 */
bool quota_is_held(Front *front, uint32_t uid, const PlanLimits *limits);
/** quota_release_jail() - nothing of it is left; the same @limits; @ended: quota_end_jail() was called */
void quota_release_jail(Front *front, uint32_t uid, const PlanLimits *limits, bool ended);
/** quota_has_room() - would it be charged without taking anything from others of this user, and leave room for jails that somebody asks for; changes nothing */
bool quota_has_room(Front *front, uint32_t uid, const PlanLimits *limits);
/** quota_check_jail() - would it be charged; what was made ahead goes, to make room. Returns: as quota_charge_jail() */
int quota_check_jail(Front *front, uint32_t uid, const PlanLimits *limits, Error *err);
/** quota_charge_task() - before a task is taken. Returns: 0, -EDQUOT */
int quota_charge_task(Front *front, uint32_t uid, Error *err);
/** quota_release_task() - it has ended */
void quota_release_task(Front *front, uint32_t uid);
/**
 * quota_reserve_import() - before an import begins: its most bytes on disk count until it has ended
 *
 * What is reserved was checked (snapshots_check_new()). Returns: 0, -EDQUOT: no account.
 */
int quota_reserve_import(Front *front, uint32_t uid, uint64_t bytes, Error *err);
/** quota_release_import() - it has ended, well or not; the same @bytes */
void quota_release_import(Front *front, uint32_t uid, uint64_t bytes);
/** quota_reserved() - bytes for imports that run */
uint64_t quota_reserved(Front *front, uint32_t uid);
/** quota_charge_create() - one of the creates of a minute; they come back by time alone. Returns: 0, -EDQUOT */
int quota_charge_create(Front *front, uint32_t uid, Error *err);
/** quota_charge_creates() - likewise @n of them, or none */
int quota_charge_creates(Front *front, uint32_t uid, unsigned n, Error *err);
/** quota_check() - may a user that has @used of what is counted elsewhere have @more. Returns: 0, -EDQUOT */
int quota_check(Front *front, uint32_t uid, CeilingField field, uint64_t used, uint64_t more,
                Error *err);

/** quota_refuse() - where @err is a quota's (it bears its mark): say in the refusal of @call what it was about: field, used, asked, bound, source */
void quota_refuse(Front *front, Call *call, const Error *err);
