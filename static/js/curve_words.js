/* What each training curve is: a name, its meaning in one line, its unit. The tags stand in docs/learning.md. */
const WORDS = {
  "validation/score": ["Validation score", "Mean log return a bar of the policy on the validation range; the best look's policy is kept.", "ln a bar"],
  "validation/best_score": ["Best validation score", "The greatest score of the looks so far.", "ln a bar"],
  "rollout/ep_rew_mean": ["Reward of an episode", "Sum of the rewards of an episode, mean over the last hundred that ended.", "reward"],
  "rollout/ep_len_mean": ["Length of an episode", "Mean over the last hundred that ended.", "bars"],
  "rollout/ep_growth_mean": ["Growth in an episode", "Log of last equity over first, after costs, mean over the last episodes that ended.", "ln"],
  "train/loss": ["Loss", "Of policy, value and entropy together, of the last minibatch of the update.", ""],
  "train/value_loss": ["Value loss", "Squared error of the critic's forecast of what is still to be earned.", "reward²"],
  "train/policy_gradient_loss": ["Policy loss", "PPO's clipped loss of the policy; below 0 where the update helps.", ""],
  "train/approx_kl": ["Distance of an update", "KL divergence from the policy that collected the rollout, mean over the minibatches; above 0.1 three times in a row is an alarm.", "nats"],
  "train/entropy_loss": ["Entropy, negative", "Minus the entropy of the actions: it rises as the policy explores less.", "nats"],
  "train/explained_variance": ["Explained variance", "Share of what was earned that the critic foresaw: 1 all of it, 0 none, below 0 worse than a constant.", "share"],
  "train/std": ["Spread of actions", "Standard deviation of the noise that actions are drawn with; no part of what is judged.", "action"],
  "train/clip_fraction": ["Clipped", "Share of samples whose probability moved beyond the clip range.", "share"],
  "train/clip_range": ["Clip range", "How far an update may move a probability.", "ratio"],
  "train/learning_rate": ["Learning rate", "Step size of the optimiser.", ""],
  "train/n_updates": ["Passes", "Passes over rollouts so far.", "count"],
  "grads/norm": ["Gradient", "L2 norm of the whole gradient before it is clipped, mean over the minibatches.", ""],
  "grads/norm_max": ["Largest gradient", "L2 norm before the clip, largest of the minibatches.", ""],
  "actions/saturation": ["Actions at the bounds", "Share of raw actions on or beyond the bounds of the box.", "share"],
  "weights/gross": ["Gross weight", "Mean sum of the sizes of the weights held at the closes of the rollout.", "× equity"],
  "reward/total": ["Reward of a bar", "Mean over the rollout; the terms of the reward sum to it.", "reward"],
  "reward/log_nav": ["Reward: growth", "Mean log return of equity a bar.", "reward"],
  "reward/delta_nav": ["Reward: gain", "Mean change of equity a bar over the start cash.", "reward"],
  "reward/diff_sharpe": ["Reward: Sharpe", "Mean of what a bar adds to the running Sharpe ratio.", "reward"],
  "reward/benchmark": ["Reward: benchmark", "Mean log return of the benchmark a bar, subtracted.", "reward"],
  "reward/drawdown": ["Reward: drawdown", "Mean penalty a bar for a growing drawdown.", "reward"],
  "reward/turnover": ["Reward: turnover", "Mean penalty a bar for value traded.", "reward"],
  "reward/vol": ["Reward: volatility", "Mean penalty a bar for squared returns.", "reward"],
  "reward/leverage": ["Reward: leverage", "Mean penalty a bar for gross exposure above 1.", "reward"],
  "time/fps": ["Speed", "Steps a second since the training began.", "steps/s"],
  "time/peak_mb": ["Peak memory", "Largest resident size of the job so far.", "MiB"],
  "time/iterations": ["Rollouts", "Rollouts so far.", "count"],
  "time/time_elapsed": ["Time", "Since the training began.", "s"],
  "time/total_timesteps": ["Steps", "Steps of all books so far.", "count"],
};

/* `{name, meaning, unit}` of a tag; of one that nobody described the tag itself */
export function wordsOf(tag) {
  const [name, meaning, unit] = WORDS[tag] ?? [tag, "", ""];
  return { name, meaning, unit };
}
