/**
 * Python: the config of a run that was found in a list. 0.25.1 makes an empty config of one that it has not loaded yet, and so never loads it;
 * every other client asks for it when it is read.
 */
export const configOf = `
import wandb

def config_of(run):
    if wandb.__version__ == "0.25.1":
        run.load_full_data()
    return run.config
`;
