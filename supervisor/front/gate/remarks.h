#pragma once
/*
 * remarks: what warder-files says about a patch without running it (secrets, set-id bits, new network code, lock
 * files, paths outside of the scope), as a verdict shows it, and the veto that a spec or a workflow gives them.
 */
#include "base/record.h"
#include "supervisor/front/gate/verdict.h"

/** remark_check_name() - "secret", "set-id", …; NULL: there is no such check */
const char *remark_check_name(uint32_t check);

/** remarks_take() - keep a RECORD_REMARK; of many the first. Returns: 0, or -ENOMEM */
int remarks_take(Touched *touched, const Record *record);

/** remarks_veto() - turn a verdict `passed` into `failed` where a remark is one that @spec vetoes */
void remarks_veto(const VerifySpec *spec, const Touched *touched, Verdict *verdict);

/** remarks_bits() - BIT(RemarkCheck) of each name in an array that the schema has checked */
unsigned remarks_bits(const cJSON *names);
