<?php
// Borg's PHP library for the interoperability tests: php stmf.php LIBRARY open PRIVATE_KEY | info, a container in base64
// on standard input. LIBRARY is the folder php/borg-stmf of Borg's sources.
declare(strict_types=1);

[, $library, $verb] = $argv;
spl_autoload_register(function (string $class) use ($library): void {
    require $library . '/src/' . str_replace('Borg\\STMF\\', '', $class) . '.php';
});

$container = trim(stream_get_contents(STDIN));
if ($verb === 'open') {
    $form = (new Borg\STMF\STMF($argv[3]))->decrypt($container);
    $answer = [
        'fields' => array_map(fn ($field) => [
            'name' => $field->name,
            'value' => $field->isFile() ? null : $field->value,
            'type' => $field->type,
            'filename' => $field->filename,
            'mime' => $field->mimeType,
            'content' => hash('sha256', $field->getFileContent() ?? ''),
        ], $form->fields()),
        'meta' => (object) $form->getMetadata(),
    ];
} else {
    $any = new Borg\STMF\STMF(base64_encode(random_bytes(32)));
    $answer = ['valid' => $any->validate($container)] + $any->getInfo($container);
}
echo json_encode($answer, JSON_THROW_ON_ERROR);
