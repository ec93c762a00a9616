// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the report of hosts made up for it:
 *
 *	report_page > all.html		one of each generator, and reuses at risk
 *	report_page good > good.html	one host, and nothing wrong with it
 */
#include <stdio.h>

#include "rig.h"

static struct rig rig;

int main(int argc, char **argv)
{
	(void)argv;
	rig_open(&rig);
	if (argc > 1) {
		rig.report.n_hosts = 1;
		rig.report.n_risks = 0;
		rig.totals.risks = 0;
		rig.totals.by_reuse[SHK_SAFE_ISN] += rig.totals.by_reuse[SHK_AT_RISK_DATA];
		rig.totals.by_reuse[SHK_AT_RISK_DATA] = 0;
		rig.totals.by_reuse_30s[SHK_AT_RISK_DATA] = 0;
		rig.counterfactual.at_risk[SHK_GL] = 0;
		rig.counterfactual.at_risk_ts[SHK_GL] = 0;
		for (uint32_t i = 0; i < rig.report.n_margins; i++)
			rig.margins[i] = abs(rig.margins[i]);
	}
	return shk_report_write(stdout, &rig.report) ? 1 : 0;
}
