/** Money: what an alert costs, and what a missed fraud costs per unit of its amount. */
export interface CostModel {
  /** of looking at one alert */
  review: number;
  /** share of a missed fraud's amount that is lost */
  missedShare: number;
}

export type Objective = 'cost' | 'max_f1';

/** What the choice of one group (a category, or everything) has to know before its rows are ranked. */
export interface GroupTotals {
  rows: number;
  labelled: number;
  frauds: number;
  /** alerts that a rule makes, whatever the threshold; those of known label, the frauds among them */
  ruleAlerts: number;
  labelledRuleAlerts: number;
  ruleCaught: number;
}

export function emptyTotals(): GroupTotals {
  return { rows: 0, labelled: 0, frauds: 0, ruleAlerts: 0, labelledRuleAlerts: 0, ruleCaught: 0 };
}

/** A budget's own threshold for a category stands on at least this many alerts; with fewer it would follow single rows. */
const MIN_BUDGET_ALERTS = 5;

/**
 * Finds the best thresholds of one group from its rows by falling probability. A cut lies half-way between two neighbouring probabilities,
 * so that the last digit of a probability decides nothing; of two cuts that are equally good the higher wins (fewer alerts).
 */
export class CutScan {
  private last = NaN;
  private alerts: number;
  private labelledAlerts: number;
  private caught: number;
  private saved = 0;
  private best: { threshold: number; merit: number } | null = null;
  private readonly budgetCuts: { threshold: number; alerts: number }[];

  constructor(
    private readonly totals: GroupTotals,
    private readonly objective: Objective,
    private readonly cost: CostModel,
    private readonly budgets: readonly number[],
    /** the fewest alerts a budget's cut may have */
    private readonly minBudgetAlerts: number,
  ) {
    this.alerts = totals.ruleAlerts;
    this.labelledAlerts = totals.labelledRuleAlerts;
    this.caught = totals.ruleCaught;
    this.budgetCuts = budgets.map(() => ({ threshold: NaN, alerts: 0 }));
  }

  static forCategory(totals: GroupTotals, objective: Objective, cost: CostModel, budgets: readonly number[]): CutScan {
    return new CutScan(totals, objective, cost, budgets, MIN_BUDGET_ALERTS);
  }

  static forAll(totals: GroupTotals, objective: Objective, cost: CostModel, budgets: readonly number[]): CutScan {
    return new CutScan(totals, objective, cost, budgets, 1);
  }

  /** The next row, of a probability not above the one before. Rows that a rule decides are left out: no threshold moves them. */
  push(probability: number, labelled: boolean, fraud: boolean, amount: number): void {
    if (Number.isNaN(this.last)) {
      // "Nothing at all" is a cut as well, where there is room above the highest probability.
      if (probability < 1) this.consider(1);
    } else if (probability < this.last) {
      const middle = (this.last + probability) / 2;
      this.consider(middle > probability ? middle : this.last);
    }
    this.last = probability;
    this.alerts++;
    if (labelled) {
      this.labelledAlerts++;
      this.saved -= this.cost.review;
    }
    if (fraud) {
      this.caught++;
      this.saved += amount * this.cost.missedShare;
    }
  }

  /** @returns operating null: the group has no row that a threshold decides; a budget's null: it affords too few alerts here */
  finish(): { operating: number | null; budgets: (number | null)[] } {
    if (!Number.isNaN(this.last)) this.consider(this.last);
    return {
      operating: this.best?.threshold ?? null,
      budgets: this.budgetCuts.map(({ threshold, alerts }) =>
        Number.isNaN(threshold) || alerts < this.minBudgetAlerts ? null : threshold,
      ),
    };
  }

  private consider(threshold: number): void {
    const merit =
      this.objective === 'cost'
        ? this.saved
        : (2 * this.caught) / Math.max(this.labelledAlerts + this.totals.frauds, 1);
    if (this.best === null || merit > this.best.merit) this.best = { threshold, merit };
    for (const [i, budget] of this.budgets.entries()) {
      if (this.alerts <= budget * this.totals.rows) this.budgetCuts[i] = { threshold, alerts: this.alerts };
    }
  }
}
