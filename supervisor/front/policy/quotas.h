#pragma once
/*
 * quotas: what each user has, and may have, held against its account (accounts.h). Everything is charged before it is
 * made, here and in jail-quotas.h, and given back by the same path.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/policy/accounts.h"

/** quota_ceiling() - what holds for a user, borrowed until the loop goes on; for policies and `policy show` */
int quota_ceiling(Front *front, uint32_t uid, const Ceiling **ret, Error *err);

/** quota_used() - what a user has of a field that is counted here (QUOTA_JAILS to QUOTA_CREATES); 0: no account */
uint64_t quota_used(Front *front, uint32_t uid, CeilingField field);

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

/** quota_check_account() - may it have @asked beside @used of a field. Returns: 0, -EDQUOT */
int quota_check_account(Account *account, CeilingField field, uint64_t used, uint64_t asked,
                        Error *err);
/** quota_exceed() - note the fault for quota_refuse(). Returns: -EDQUOT */
int quota_exceed(Account *account, const AccountFault *fault, Error *err);

/** quota_refuse() - where @err is a quota's (it bears its mark): say in the refusal of @call what it was about: field, used, asked, bound, source */
void quota_refuse(Front *front, Call *call, const Error *err);
