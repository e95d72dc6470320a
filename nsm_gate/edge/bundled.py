"""The policy of the bundled pack, as `policy_build` makes it of rules/ and schemas/.

Written by `make docs`, never by hand: `make lint` fails where it is not what the rules give. It counts only
while the pack's files have the SHA-256 that it was made from; see `packs.compiled`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from nsm_gate.expressions import Arithmetic, Both, Call, Comparison, Either, Literal, Name, Not
from nsm_gate.model import Severity
from nsm_gate.nouns import Any
from nsm_gate.policy import Assertion, Branch, Criterion, Domain, ExperimentType, Limits, LogKind, Policy, Reference, UseDomain

PACK = "1be182e0cfbe4d0c1f8c6bfb233774350ee22b11a86a44054e64569bef49b1c1"


def policy(schema: Callable[[str], Mapping[str, Any]]) -> Policy:
    """Return the policy.

    Args:
        schema: Returns a schema of the pack by its file's name.
    """
    return Policy(
        {
            'baselines': LogKind(
                'baselines',
                'Baseline results and architectural comparisons, one line an experiment.',
                ('**/baselines.jsonl',),
                'baselines.schema.json',
                schema('baselines.schema.json'),
                (),
                (('branch',), ('commit',), ('experiment',)),
                None,
                None,
                None,
                ('timestamp',),
                None,
                None,
                None,
                False,
                ('notes',),
                None,
                ('corrects',),
                ('reason',),
                None,
                (),
                None,
                ('metrics',),
                (('config',),),
                (),
                None,
                ('experiment',),
                None,
                {
                    'accuracy': (('metrics', 'accuracy'),),
                    'balance_delta': (('metrics', 'balance_delta'),),
                    'cycle_loss': (('metrics', 'cycle_loss'),),
                    'cycle_weight': (('config', 'cycle_weight'),),
                    'q_neural': (('metrics', 'q_neural'),),
                    'lawson_criterion': (('metrics', 'lawson_criterion'),),
                    'temperature_gradient': (('metrics', 'temperature_gradient'),),
                    'beta_limit': (('metrics', 'beta_limit'),),
                },
                {},
                {},
                (
                    Assertion(
                        'corrects-its-experiment',
                        Comparison(Name(('corrects',), False), (('==', Name(('experiment',), False)),)),
                        None,
                        ('corrects',),
                        'corrects names another experiment',
                        'a correction has the branch, commit and experiment of the line that it corrects',
                        'nsm:rules/logs/baselines.yaml:27',
                        '{"assert":"corrects == experiment","at":"corrects"}',
                    ),
                ),
                (
                    Criterion(
                        'accuracy',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('accuracy',), False),
                                    (('>', Literal(Decimal('0.55'), '0.55')),),
                                ),
                                '> 0.55',
                            ),
                        ),
                        None,
                        ('accuracy',),
                        'guide: target >0.55 for Phase 1.5',
                        'nsm:rules/logs/baselines.yaml:35',
                        '["log","baselines","accuracy",{"above":0.55},{}]',
                        'head',
                    ),
                    Criterion(
                        'balance_delta',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('balance_delta',), False),
                                    (('<', Literal(Decimal('0.40'), '0.40')),),
                                ),
                                '< 0.40',
                            ),
                        ),
                        None,
                        ('balance_delta',),
                        'guide: target <0.40',
                        'nsm:rules/logs/baselines.yaml:36',
                        '["log","baselines","balance_delta",{"below":0.4},{}]',
                        'head',
                    ),
                    Criterion(
                        'cycle_loss',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('cycle_loss',), False),
                                    (('<', Literal(Decimal('0.20'), '0.20')),),
                                ),
                                '< 0.20',
                            ),
                        ),
                        None,
                        ('cycle_loss',),
                        'guide: target <0.20',
                        'nsm:rules/logs/baselines.yaml:37',
                        '["log","baselines","cycle_loss",{"below":0.2},{}]',
                        'head',
                    ),
                    Criterion(
                        'q_neural',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('q_neural',), False),
                                    (('>', Literal(Decimal('1.0'), '1.0')),),
                                ),
                                '> 1.0',
                            ),
                        ),
                        Call(
                            'known',
                            (
                                Call(
                                    'first',
                                    (
                                        Name(('q_neural',), False),
                                        Name(('lawson_criterion',), False),
                                        Name(('temperature_gradient',), False),
                                        Name(('beta_limit',), False),
                                    ),
                                    (),
                                ),
                            ),
                            (),
                        ),
                        ('q_neural',),
                        'guide: Physics Validation',
                        'nsm:rules/logs/baselines.yaml:39',
                        '["log","baselines","q_neural",{"above":1.0,"when":"known(first(q_neural, lawson_criterion, temperature_gradient, beta_limit))"},{}]',
                        'head',
                    ),
                    Criterion(
                        'lawson_criterion',
                        (
                            Branch(
                                None,
                                Call('achieved', (Name(('lawson_criterion',), False),), ()),
                                'achieved',
                            ),
                        ),
                        Call(
                            'known',
                            (
                                Call(
                                    'first',
                                    (
                                        Name(('q_neural',), False),
                                        Name(('lawson_criterion',), False),
                                        Name(('temperature_gradient',), False),
                                        Name(('beta_limit',), False),
                                    ),
                                    (),
                                ),
                            ),
                            (),
                        ),
                        ('lawson_criterion',),
                        'guide: Physics Validation',
                        'nsm:rules/logs/baselines.yaml:43',
                        '["log","baselines","lawson_criterion",{"assert":"achieved","when":"known(first(q_neural, lawson_criterion, temperature_gradient, beta_limit))"},{}]',
                        'head',
                    ),
                    Criterion(
                        'temperature_gradient',
                        (
                            Branch(
                                None,
                                Call('stable', (Name(('temperature_gradient',), False),), ()),
                                'stable',
                            ),
                        ),
                        Call(
                            'known',
                            (
                                Call(
                                    'first',
                                    (
                                        Name(('q_neural',), False),
                                        Name(('lawson_criterion',), False),
                                        Name(('temperature_gradient',), False),
                                        Name(('beta_limit',), False),
                                    ),
                                    (),
                                ),
                            ),
                            (),
                        ),
                        ('temperature_gradient',),
                        'guide: Physics Validation',
                        'nsm:rules/logs/baselines.yaml:47',
                        '["log","baselines","temperature_gradient",{"assert":"stable","when":"known(first(q_neural, lawson_criterion, temperature_gradient, beta_limit))"},{}]',
                        'head',
                    ),
                    Criterion(
                        'beta_limit',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('beta_limit',), False),
                                    (('<', Literal(Decimal('1.0'), '1.0')),),
                                ),
                                '< 1.0',
                            ),
                        ),
                        Call(
                            'known',
                            (
                                Call(
                                    'first',
                                    (
                                        Name(('q_neural',), False),
                                        Name(('lawson_criterion',), False),
                                        Name(('temperature_gradient',), False),
                                        Name(('beta_limit',), False),
                                    ),
                                    (),
                                ),
                            ),
                            (),
                        ),
                        ('beta_limit',),
                        'guide: Physics Validation',
                        'nsm:rules/logs/baselines.yaml:51',
                        '["log","baselines","beta_limit",{"below":1.0,"when":"known(first(q_neural, lawson_criterion, temperature_gradient, beta_limit))"},{}]',
                        'head',
                    ),
                ),
                {},
                'nsm:rules/logs/baselines.yaml:2',
                'nsm:schemas/baselines.schema.json',
            ),
            'training_log': LogKind(
                'training_log',
                'Detailed training runs, one line a run, with full provenance.',
                ('**/training_log.jsonl',),
                'training_log.schema.json',
                schema('training_log.schema.json'),
                ('run_data',),
                (('run_data', 'run_id'),),
                ('run_data', 'status'),
                ('run_data', 'domain'),
                ('run_data', 'experiment_type'),
                ('timestamp',),
                ('run_data', 'start_time'),
                ('run_data', 'end_time'),
                ('run_data', 'training_time_seconds'),
                True,
                ('run_data', 'findings'),
                ('run_data', 'error_message'),
                ('run_data', 'corrects'),
                ('run_data', 'reason'),
                ('run_data', 'hyperparameters'),
                (
                    'epochs',
                    'batch_size',
                    'learning_rate',
                    'seed',
                    'cycle_loss_weight',
                    'patience',
                    'min_delta',
                    'pool_ratio',
                ),
                ('run_data', 'architecture'),
                ('run_data', 'final_metrics'),
                (
                    ('run_data', 'dataset_config'),
                    ('run_data', 'hyperparameters'),
                    ('run_data', 'architecture'),
                ),
                (
                    ('run_data', 'final_metrics', 'accuracy_class_0'),
                    ('run_data', 'final_metrics', 'accuracy_class_1'),
                ),
                ('run_data', 'final_metrics', 'task_loss'),
                ('run_data', 'run_id'),
                ('loss_history',),
                {
                    'accuracy': (
                        ('run_data', 'final_metrics', 'accuracy'),
                        ('run_data', 'best_val_accuracy'),
                    ),
                    'balance_delta': (('run_data', 'final_metrics', 'class_balance_delta'),),
                    'cycle_loss': (('run_data', 'final_metrics', 'cycle_loss'),),
                    'cycle_weight': (('run_data', 'hyperparameters', 'cycle_loss_weight'),),
                    'q_neural': (('run_data', 'final_metrics', 'q_neural'),),
                    'lawson_criterion': (('run_data', 'final_metrics', 'lawson_criterion'),),
                    'temperature_gradient': (
                        ('run_data', 'final_metrics', 'temperature_gradient'),
                        ('run_data', 'metrics_history', 'temperature_gradient'),
                    ),
                    'beta_limit': (('run_data', 'final_metrics', 'beta_limit'),),
                    'loss_history': (
                        ('run_data', 'metrics_history', 'val_loss'),
                        ('run_data', 'metrics_history'),
                    ),
                },
                {'accuracy': ('run_data', 'dataset_config', 'val_size')},
                {
                    'single_pass': Reference(
                        'single_pass',
                        'training_log',
                        Both(
                            (
                                Comparison(
                                    Name(('status',), False),
                                    (('==', Literal('completed', '"completed"')),),
                                ),
                                Not(Name(('hyperparameters', 'use_dual_pass'), False)),
                            ),
                        ),
                        (('domain',), ('dataset_config',)),
                        'min',
                        ('balance_delta',),
                        'nsm:rules/logs/training_log.yaml:52',
                        'unknown',
                        'The best balanced completed single-pass run on the same data.',
                        '{"from":"training_log","none":"unknown","pick":"min(balance_delta)","same":["domain","dataset_config"],"where":"status == \\"completed\\" and not hyperparameters.use_dual_pass"}',
                        (),
                        Both(
                            (
                                Comparison(
                                    Name(('status',), False),
                                    (('==', Literal('completed', '"completed"')),),
                                ),
                                Not(Name(('hyperparameters', 'use_dual_pass'), False)),
                            ),
                        ),
                    ),
                    'best_baseline': Reference(
                        'best_baseline',
                        'baselines',
                        None,
                        (),
                        'max',
                        ('accuracy',),
                        'nsm:rules/logs/training_log.yaml:59',
                        'unknown',
                        'The most accurate baseline logged before the run, of any variant.',
                        '{"from":"baselines","none":"unknown","pick":"max(accuracy)"}',
                        (),
                        None,
                    ),
                },
                (
                    Assertion(
                        'corrects-its-run',
                        Comparison(Name(('corrects',), False), (('==', Name(('run_id',), False)),)),
                        None,
                        ('run_data', 'corrects'),
                        'corrects names another run',
                        'a correction has the run id of the run that it corrects',
                        'nsm:rules/logs/training_log.yaml:66',
                        '{"assert":"corrects == run_id","at":"corrects"}',
                    ),
                    Assertion(
                        'domain-agrees',
                        Comparison(
                            Name(('domain',), False),
                            (('==', Name(('dataset_config', 'domain'), False)),),
                        ),
                        None,
                        ('run_data', 'dataset_config', 'domain'),
                        "dataset_config.domain differs from the run's domain",
                        'log the domain that the data came from, in both places',
                        'nsm:rules/logs/training_log.yaml:71',
                        '{"assert":"domain == dataset_config.domain","at":"dataset_config.domain"}',
                    ),
                    Assertion(
                        'split-fits',
                        Comparison(
                            Arithmetic(
                                '+',
                                Name(('dataset_config', 'train_size'), False),
                                Name(('dataset_config', 'val_size'), False),
                            ),
                            (('<=', Name(('dataset_config', 'total_size'), False)),),
                        ),
                        None,
                        ('run_data', 'dataset_config', 'total_size'),
                        'train_size + val_size exceeds total_size',
                        'log the sizes of the split that was used',
                        'nsm:rules/logs/training_log.yaml:76',
                        '{"assert":"dataset_config.train_size + dataset_config.val_size <= dataset_config.total_size","at":"dataset_config.total_size"}',
                    ),
                    Assertion(
                        'balances-sum-to-one',
                        Call(
                            'close',
                            (
                                Arithmetic(
                                    '+',
                                    Name(('dataset_config', 'label_balance_class_0'), False),
                                    Name(('dataset_config', 'label_balance_class_1'), False),
                                ),
                                Literal(1, '1'),
                            ),
                            (('tolerance', Literal(Decimal('0.001'), '0.001')),),
                        ),
                        None,
                        ('run_data', 'dataset_config', 'label_balance_class_1'),
                        'the label balances do not sum to 1',
                        "log each class's share of the examples",
                        'nsm:rules/logs/training_log.yaml:81',
                        '{"assert":"close(dataset_config.label_balance_class_0 + dataset_config.label_balance_class_1, 1, tolerance=0.001)","at":"dataset_config.label_balance_class_1"}',
                    ),
                    Assertion(
                        'is-balanced-agrees',
                        Comparison(
                            Name(('dataset_config', 'is_balanced'), False),
                            (
                                (
                                    '==',
                                    Both(
                                        (
                                            Comparison(
                                                Literal(Decimal('0.4'), '0.4'),
                                                (
                                                    (
                                                        '<=',
                                                        Name(
                                                            ('dataset_config', 'label_balance_class_0'),
                                                            False,
                                                        ),
                                                    ),
                                                    ('<=', Literal(Decimal('0.6'), '0.6')),
                                                ),
                                            ),
                                            Comparison(
                                                Literal(Decimal('0.4'), '0.4'),
                                                (
                                                    (
                                                        '<=',
                                                        Name(
                                                            ('dataset_config', 'label_balance_class_1'),
                                                            False,
                                                        ),
                                                    ),
                                                    ('<=', Literal(Decimal('0.6'), '0.6')),
                                                ),
                                            ),
                                        ),
                                    ),
                                ),
                            ),
                        ),
                        Call(
                            'close',
                            (
                                Arithmetic(
                                    '+',
                                    Name(('dataset_config', 'label_balance_class_0'), False),
                                    Name(('dataset_config', 'label_balance_class_1'), False),
                                ),
                                Literal(1, '1'),
                            ),
                            (('tolerance', Literal(Decimal('0.001'), '0.001')),),
                        ),
                        ('run_data', 'dataset_config', 'is_balanced'),
                        'is_balanced disagrees with the label balances (balanced is 0.4 to 0.6 each)',
                        'set is_balanced from the balances',
                        'nsm:rules/logs/training_log.yaml:87',
                        '{"assert":"dataset_config.is_balanced == (0.4 <= dataset_config.label_balance_class_0 <= 0.6 and 0.4 <= dataset_config.label_balance_class_1 <= 0.6)","at":"dataset_config.is_balanced","when":"close(dataset_config.label_balance_class_0 + dataset_config.label_balance_class_1, 1, tolerance=0.001)"}',
                    ),
                    Assertion(
                        'class-balance-delta',
                        Call(
                            'close',
                            (
                                Name(('final_metrics', 'class_balance_delta'), False),
                                Call(
                                    'abs',
                                    (
                                        Arithmetic(
                                            '-',
                                            Name(('final_metrics', 'accuracy_class_0'), False),
                                            Name(('final_metrics', 'accuracy_class_1'), False),
                                        ),
                                    ),
                                    (),
                                ),
                            ),
                            (('tolerance', Literal(Decimal('0.001'), '0.001')),),
                        ),
                        None,
                        ('run_data', 'final_metrics', 'class_balance_delta'),
                        'class_balance_delta is not |accuracy_class_0 - accuracy_class_1|',
                        'compute it from the two class accuracies',
                        'nsm:rules/logs/training_log.yaml:95',
                        '{"assert":"close(final_metrics.class_balance_delta, abs(final_metrics.accuracy_class_0 - final_metrics.accuracy_class_1), tolerance=0.001)","at":"final_metrics.class_balance_delta"}',
                    ),
                    Assertion(
                        'best-epoch-within-epochs',
                        Comparison(
                            Name(('best_epoch',), False),
                            (('<=', Name(('hyperparameters', 'epochs'), False)),),
                        ),
                        None,
                        ('run_data', 'best_epoch'),
                        'best_epoch lies beyond the epochs of the run',
                        'log the epoch of the best validation, or the epochs that were asked for',
                        'nsm:rules/logs/training_log.yaml:102',
                        '{"assert":"best_epoch <= hyperparameters.epochs","at":"best_epoch"}',
                    ),
                    Assertion(
                        'best-epoch-in-history',
                        Comparison(
                            Name(('best_epoch',), False),
                            (('in', Name(('metrics_history', 'epoch'), False)),),
                        ),
                        None,
                        ('run_data', 'best_epoch'),
                        'best_epoch is not an epoch of metrics_history',
                        'log every epoch, or the epoch of the best validation among those logged',
                        'nsm:rules/logs/training_log.yaml:107',
                        '{"assert":"best_epoch in metrics_history.epoch","at":"best_epoch"}',
                    ),
                    Assertion(
                        'best-epoch-agrees',
                        Either(
                            (
                                Both(
                                    (
                                        Call('known', (Name(('metrics_history', 'val_loss'), False),), ()),
                                        Comparison(
                                            Call(
                                                'lookup',
                                                (
                                                    Name(('metrics_history', 'epoch'), False),
                                                    Name(('best_epoch',), False),
                                                    Name(('metrics_history', 'val_loss'), False),
                                                ),
                                                (),
                                            ),
                                            (
                                                (
                                                    '==',
                                                    Call(
                                                        'min',
                                                        (Name(('metrics_history', 'val_loss'), False),),
                                                        (),
                                                    ),
                                                ),
                                            ),
                                        ),
                                    ),
                                ),
                                Both(
                                    (
                                        Call(
                                            'known',
                                            (Name(('metrics_history', 'val_accuracy'), False),),
                                            (),
                                        ),
                                        Comparison(
                                            Call(
                                                'lookup',
                                                (
                                                    Name(('metrics_history', 'epoch'), False),
                                                    Name(('best_epoch',), False),
                                                    Name(('metrics_history', 'val_accuracy'), False),
                                                ),
                                                (),
                                            ),
                                            (
                                                (
                                                    '==',
                                                    Call(
                                                        'max',
                                                        (Name(('metrics_history', 'val_accuracy'), False),),
                                                        (),
                                                    ),
                                                ),
                                            ),
                                        ),
                                    ),
                                ),
                            ),
                        ),
                        Both(
                            (
                                Call('known', (Name(('best_epoch',), False),), ()),
                                Comparison(
                                    Name(('best_epoch',), False),
                                    (('in', Name(('metrics_history', 'epoch'), False)),),
                                ),
                                Either(
                                    (
                                        Call('known', (Name(('metrics_history', 'val_loss'), False),), ()),
                                        Call(
                                            'known',
                                            (Name(('metrics_history', 'val_accuracy'), False),),
                                            (),
                                        ),
                                    ),
                                ),
                            ),
                        ),
                        ('run_data', 'best_epoch'),
                        'another epoch of metrics_history has the better validation',
                        'log the epoch with the lowest val_loss or the highest val_accuracy',
                        'nsm:rules/logs/training_log.yaml:113',
                        '{"assert":"(known(metrics_history.val_loss) and lookup(metrics_history.epoch, best_epoch, metrics_history.val_loss) == min(metrics_history.val_loss)) or (known(metrics_history.val_accuracy) and lookup(metrics_history.epoch, best_epoch, metrics_history.val_accuracy) == max(metrics_history.val_accuracy))","at":"best_epoch","when":"known(best_epoch) and best_epoch in metrics_history.epoch and (known(metrics_history.val_loss) or known(metrics_history.val_accuracy))"}',
                    ),
                    Assertion(
                        'passes-agree',
                        Comparison(
                            Comparison(Name(('architecture', 'passes'), False), (('==', Literal(2, '2')),)),
                            (('==', Name(('hyperparameters', 'use_dual_pass'), False)),),
                        ),
                        None,
                        ('run_data', 'architecture', 'passes'),
                        'architecture.passes disagrees with use_dual_pass',
                        'a dual-pass run makes 2 passes, any other 1',
                        'nsm:rules/logs/training_log.yaml:125',
                        '{"assert":"(architecture.passes == 2) == hyperparameters.use_dual_pass","at":"architecture.passes"}',
                    ),
                ),
                (),
                {'timestamp-naive': Severity.WARNING},
                'nsm:rules/logs/training_log.yaml:2',
                'nsm:schemas/training_log.schema.json',
            ),
        },
        {
            'domain_exploration': ExperimentType(
                'domain_exploration',
                'Compares the planning, causal and knowledge graph domains, with their own metrics.',
                ('domain_metrics',),
                (
                    Criterion(
                        'accuracy',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('accuracy',), False),
                                    (('>', Literal(Decimal('0.55'), '0.55')),),
                                ),
                                '> 0.55',
                            ),
                        ),
                        None,
                        ('accuracy',),
                        'guide: above random baseline',
                        'nsm:rules/experiment_types/domain_exploration.yaml:6',
                        '["experiment_type","domain_exploration","accuracy",{"above":0.55},{}]',
                        'head',
                    ),
                    Criterion(
                        'balance_delta',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('balance_delta',), False),
                                    (('<', Literal(Decimal('0.40'), '0.40')),),
                                ),
                                '< 0.40',
                            ),
                        ),
                        None,
                        ('balance_delta',),
                        'guide: reasonable class balance',
                        'nsm:rules/experiment_types/domain_exploration.yaml:7',
                        '["experiment_type","domain_exploration","balance_delta",{"below":0.4},{}]',
                        'head',
                    ),
                    Criterion(
                        'cycle_loss',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('cycle_loss',), False),
                                    (('<', Literal(Decimal('0.80'), '0.80')),),
                                ),
                                '< 0.80',
                            ),
                        ),
                        None,
                        ('cycle_loss',),
                        'guide: decent reconstruction',
                        'nsm:rules/experiment_types/domain_exploration.yaml:8',
                        '["experiment_type","domain_exploration","cycle_loss",{"below":0.8},{}]',
                        'head',
                    ),
                    UseDomain('domain_metrics'),
                ),
                {},
                'nsm:rules/experiment_types/domain_exploration.yaml:2',
            ),
            'dual_pass_validation': ExperimentType(
                'dual_pass_validation',
                'Dual-pass architectures, judged against the single-pass run they extend.',
                ('architecture.variant', 'hyperparameters.use_dual_pass'),
                (
                    Criterion(
                        'accuracy',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('accuracy',), False),
                                    (('>', Literal(Decimal('0.50'), '0.50')),),
                                ),
                                '> 0.50',
                            ),
                        ),
                        None,
                        ('accuracy',),
                        'guide: competitive with baseline',
                        'nsm:rules/experiment_types/dual_pass_validation.yaml:6',
                        '["experiment_type","dual_pass_validation","accuracy",{"above":0.5},{}]',
                        'head',
                    ),
                    Criterion(
                        'balance_delta',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('balance_delta',), False),
                                    (('<', Literal(Decimal('0.30'), '0.30')),),
                                ),
                                '< 0.30',
                            ),
                        ),
                        None,
                        ('balance_delta',),
                        'guide: improved balance vs baseline',
                        'nsm:rules/experiment_types/dual_pass_validation.yaml:7',
                        '["experiment_type","dual_pass_validation","balance_delta",{"below":0.3},{}]',
                        'head',
                    ),
                    Criterion(
                        'cycle_loss',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('cycle_loss',), False),
                                    (('<', Literal(Decimal('1.0'), '1.0')),),
                                ),
                                '< 1.0',
                            ),
                        ),
                        None,
                        ('cycle_loss',),
                        'guide: acceptable reconstruction',
                        'nsm:rules/experiment_types/dual_pass_validation.yaml:8',
                        '["experiment_type","dual_pass_validation","cycle_loss",{"below":1.0},{}]',
                        'head',
                    ),
                    Criterion(
                        'fusion_effectiveness',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('balance_delta',), False),
                                    (('<', Name(('single_pass', 'balance_delta'), False)),),
                                ),
                                'balance_delta < single_pass.balance_delta',
                            ),
                        ),
                        Name(('hyperparameters', 'use_dual_pass'), False),
                        None,
                        'guide: show improvement over single-pass',
                        'nsm:rules/experiment_types/dual_pass_validation.yaml:10',
                        '["experiment_type","dual_pass_validation","fusion_effectiveness",{"assert":"balance_delta < single_pass.balance_delta","when":"hyperparameters.use_dual_pass"},{"single_pass":{"from":"training_log","none":"unknown","pick":"min(balance_delta)","same":["domain","dataset_config"],"where":"status == \\"completed\\" and not hyperparameters.use_dual_pass"}}]',
                        'head',
                    ),
                ),
                {},
                'nsm:rules/experiment_types/dual_pass_validation.yaml:2',
            ),
            'hyperparam_search': ExperimentType(
                'hyperparam_search',
                'Sweeps cycle_weight, pool_ratio or learning_rate, by grid or at random.',
                (),
                (
                    Criterion(
                        'accuracy',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('accuracy',), False),
                                    (('>', Name(('best_baseline', 'accuracy'), False)),),
                                ),
                                '> best_baseline',
                            ),
                        ),
                        None,
                        ('accuracy',),
                        'guide: beat previous best',
                        'nsm:rules/experiment_types/hyperparam_search.yaml:5',
                        '["experiment_type","hyperparam_search","accuracy",{"assert":"> best_baseline"},{"best_baseline":{"from":"baselines","none":"unknown","pick":"max(accuracy)"}}]',
                        'head',
                    ),
                    Criterion(
                        'balance_delta',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('balance_delta',), False),
                                    (('<', Literal(Decimal('0.35'), '0.35')),),
                                ),
                                '< 0.35',
                            ),
                        ),
                        None,
                        ('balance_delta',),
                        'guide: maintain balance',
                        'nsm:rules/experiment_types/hyperparam_search.yaml:6',
                        '["experiment_type","hyperparam_search","balance_delta",{"below":0.35},{}]',
                        'head',
                    ),
                    Criterion(
                        'cycle_loss',
                        (
                            Branch(
                                Comparison(
                                    Name(('cycle_weight',), False),
                                    (('<=', Literal(Decimal('0.01'), '0.01')),),
                                ),
                                Comparison(
                                    Name(('cycle_loss',), False),
                                    (('<', Literal(Decimal('1.0'), '1.0')),),
                                ),
                                '< 1.0',
                            ),
                            Branch(
                                None,
                                Comparison(
                                    Name(('cycle_loss',), False),
                                    (('<', Literal(Decimal('0.80'), '0.80')),),
                                ),
                                '< 0.80',
                            ),
                        ),
                        None,
                        ('cycle_loss',),
                        'guide: depends on cycle_weight',
                        'nsm:rules/experiment_types/hyperparam_search.yaml:10',
                        '["experiment_type","hyperparam_search","cycle_loss",{"first":[{"if":"cycle_weight <= 0.01","then":"< 1.0"},{"else":"< 0.80"}]},{}]',
                        'head',
                    ),
                    Criterion(
                        'convergence',
                        (
                            Branch(
                                None,
                                Call('decreasing', (Name(('loss_history',), False),), ()),
                                'decreasing',
                            ),
                        ),
                        None,
                        ('loss_history',),
                        'guide: monotonic decrease',
                        'nsm:rules/experiment_types/hyperparam_search.yaml:15',
                        '["experiment_type","hyperparam_search","convergence",{"is":"decreasing","series":"loss_history"},{}]',
                        'head',
                    ),
                ),
                {},
                'nsm:rules/experiment_types/hyperparam_search.yaml:2',
            ),
            'physics_validation': ExperimentType(
                'physics_validation',
                'Temperature control, Lawson criterion and adaptive control experiments (NSM-33).',
                (),
                (
                    Criterion(
                        'q_neural',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('q_neural',), False),
                                    (('>', Literal(Decimal('1.0'), '1.0')),),
                                ),
                                '> 1.0',
                            ),
                        ),
                        None,
                        ('q_neural',),
                        'guide: fusion quality',
                        'nsm:rules/experiment_types/physics_validation.yaml:5',
                        '["experiment_type","physics_validation","q_neural",{"above":1.0},{}]',
                        'head',
                    ),
                    Criterion(
                        'lawson_criterion',
                        (
                            Branch(
                                None,
                                Call('achieved', (Name(('lawson_criterion',), False),), ()),
                                'achieved',
                            ),
                        ),
                        None,
                        ('lawson_criterion',),
                        'guide: confinement quality',
                        'nsm:rules/experiment_types/physics_validation.yaml:6',
                        '["experiment_type","physics_validation","lawson_criterion",{"assert":"achieved"},{}]',
                        'head',
                    ),
                    Criterion(
                        'temperature_gradient',
                        (
                            Branch(
                                None,
                                Call('stable', (Name(('temperature_gradient',), False),), ()),
                                'stable',
                            ),
                        ),
                        None,
                        ('temperature_gradient',),
                        'guide: controlled evolution',
                        'nsm:rules/experiment_types/physics_validation.yaml:7',
                        '["experiment_type","physics_validation","temperature_gradient",{"assert":"stable"},{}]',
                        'head',
                    ),
                    Criterion(
                        'beta_limit',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('beta_limit',), False),
                                    (('<', Literal(Decimal('1.0'), '1.0')),),
                                ),
                                '< 1.0',
                            ),
                        ),
                        None,
                        ('beta_limit',),
                        'guide: stability maintained',
                        'nsm:rules/experiment_types/physics_validation.yaml:8',
                        '["experiment_type","physics_validation","beta_limit",{"below":1.0},{}]',
                        'head',
                    ),
                ),
                {},
                'nsm:rules/experiment_types/physics_validation.yaml:2',
            ),
        },
        {
            'causal': Domain(
                'causal',
                'Counterfactual reasoning and intervention prediction.',
                ('counterfactual_accuracy', 'intervention_accuracy'),
                (
                    Criterion(
                        'intervention_accuracy',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('intervention_accuracy',), False),
                                    (('>=', Literal(Decimal('0.75'), '0.75')),),
                                ),
                                '>= 0.75',
                            ),
                        ),
                        None,
                        ('intervention_accuracy',),
                        "the project's own plans",
                        'nsm:rules/domains/causal.yaml:6',
                        '["domain","causal","intervention_accuracy",{"at_least":0.75},{}]',
                        'head',
                    ),
                    Criterion(
                        'counterfactual_accuracy',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('counterfactual_accuracy',), False),
                                    (('>=', Literal(Decimal('0.60'), '0.60')),),
                                ),
                                '>= 0.60',
                            ),
                        ),
                        None,
                        ('counterfactual_accuracy',),
                        "the project's own plans",
                        'nsm:rules/domains/causal.yaml:7',
                        '["domain","causal","counterfactual_accuracy",{"at_least":0.6},{}]',
                        'head',
                    ),
                ),
                'nsm:rules/domains/causal.yaml:2',
            ),
            'knowledge_graph': Domain(
                'knowledge_graph',
                'Link prediction, entity retrieval and analogical reasoning.',
                ('hits_at_10', 'mrr', 'analogical_reasoning_acc'),
                (
                    Criterion(
                        'hits_at_10',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('hits_at_10',), False),
                                    (('>=', Literal(Decimal('0.70'), '0.70')),),
                                ),
                                '>= 0.70',
                            ),
                        ),
                        None,
                        ('hits_at_10',),
                        "the project's own plans",
                        'nsm:rules/domains/knowledge_graph.yaml:6',
                        '["domain","knowledge_graph","hits_at_10",{"at_least":0.7},{}]',
                        'head',
                    ),
                    Criterion(
                        'mrr',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('mrr',), False),
                                    (('>=', Literal(Decimal('0.50'), '0.50')),),
                                ),
                                '>= 0.50',
                            ),
                        ),
                        None,
                        ('mrr',),
                        "the project's own plans",
                        'nsm:rules/domains/knowledge_graph.yaml:7',
                        '["domain","knowledge_graph","mrr",{"at_least":0.5},{}]',
                        'head',
                    ),
                    Criterion(
                        'analogical_reasoning_acc',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('analogical_reasoning_acc',), False),
                                    (('>=', Literal(Decimal('0.60'), '0.60')),),
                                ),
                                '>= 0.60',
                            ),
                        ),
                        None,
                        ('analogical_reasoning_acc',),
                        "the project's own plans",
                        'nsm:rules/domains/knowledge_graph.yaml:8',
                        '["domain","knowledge_graph","analogical_reasoning_acc",{"at_least":0.6},{}]',
                        'head',
                    ),
                ),
                'nsm:rules/domains/knowledge_graph.yaml:2',
            ),
            'planning': Domain(
                'planning',
                'PDDL-style planning, precondition validation and goal decomposition.',
                ('goal_achievement_rate', 'temporal_ordering_acc'),
                (
                    Criterion(
                        'goal_achievement_rate',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('goal_achievement_rate',), False),
                                    (('>=', Literal(Decimal('0.85'), '0.85')),),
                                ),
                                '>= 0.85',
                            ),
                        ),
                        None,
                        ('goal_achievement_rate',),
                        "the project's own plans",
                        'nsm:rules/domains/planning.yaml:6',
                        '["domain","planning","goal_achievement_rate",{"at_least":0.85},{}]',
                        'head',
                    ),
                    Criterion(
                        'temporal_ordering_acc',
                        (
                            Branch(
                                None,
                                Comparison(
                                    Name(('temporal_ordering_acc',), False),
                                    (('>=', Literal(Decimal('0.80'), '0.80')),),
                                ),
                                '>= 0.80',
                            ),
                        ),
                        None,
                        ('temporal_ordering_acc',),
                        "the project's own plans",
                        'nsm:rules/domains/planning.yaml:7',
                        '["domain","planning","temporal_ordering_acc",{"at_least":0.8},{}]',
                        'head',
                    ),
                ),
                'nsm:rules/domains/planning.yaml:2',
            ),
        },
        (),
        (),
        (),
        Limits(1048576, 268435456, 60.0),
        'the nsm pack',
        (),
        (),
        {},
        '',
        '',
        frozenset(()),
        '',
    )
