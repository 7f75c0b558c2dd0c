"""Tiếng Việt: bảng chữ của các lệnh và trang cho kỹ thuật viên. Khóa và trường giống hệt bảng `en`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

TITLES: Final = MappingProxyType(
    {
        "config": "Cấu hình",
        "service": "Tác tử",
        "restarts": "Khởi động lại",
        "autostart": "Tự khởi động",
        "modem": "SIM và sóng",
        "network": "Mạng",
        "dns": "Tên máy chủ",
        "certificate": "Chứng thư",
        "clock": "Đồng hồ",
        "tls": "Kết nối bảo mật",
        "broker": "Máy chủ",
        "receipt": "Biên nhận",
        "storage": "Thẻ nhớ",
        "power": "Nguồn điện",
        "temperature": "Nhiệt độ",
        "probe": "Nội dung đang phát",
        "screen": "Màn hình",
        "outbox": "Hộp chờ gửi",
        "losses": "Dữ liệu mất",
    }
)

FOUND: Final = MappingProxyType(
    {
        "check.hangs": ("chưa xong sau {seconds} giây", "Chạy lại; nếu vẫn vậy, khởi động lại máy."),
        "check.bug": ("lỗi của chính chương trình kiểm tra: {reason}", "Gửi dòng này cho cán bộ tỉnh."),
        "config.unusable": ("không dùng được: {reason}", "Sửa tệp cấu hình rồi chạy: ttdn-agent check-config"),
        "config.well": ("{device}, tệp {file}, theo dõi: {probes}", ""),
        "service.stopped": (
            "tác tử không chạy (systemd: {state})",
            "Chạy: sudo systemctl start ttdn-agent. Nếu dừng lại, xem: journalctl -u ttdn-agent -n 50",
        ),
        "service.hangs": (
            "tác tử bị treo, im lặng {seconds} giây",
            "Chạy: sudo systemctl restart ttdn-agent, rồi gửi nhật ký cho cán bộ tỉnh.",
        ),
        "service.runs": ("đang chạy, bản {version}, tiến trình {pid}, đã {hours} giờ", ""),
        "service.restarts": (
            "đã bị khởi động lại {count} lần từ khi bật máy",
            "Xem lý do: journalctl -u ttdn-agent -n 50, gửi cho cán bộ tỉnh.",
        ),
        "service.few_restarts": ("{count} lần từ khi bật máy", ""),
        "service.not_enabled": ("tác tử không tự chạy khi bật máy", "Chạy: sudo systemctl enable ttdn-agent"),
        "service.unreadable": ("không đọc được trạng thái: {reason}", "Chạy lại với sudo."),
        "modem.no_sim": ("không thấy SIM", "Tắt máy, lắp lại SIM đúng chiều, bật lại. Thử SIM trong điện thoại."),
        "modem.locked": (
            "SIM bị khóa ({lock})",
            "Lắp SIM vào điện thoại, tắt mã PIN của SIM, rồi lắp lại vào máy.",
        ),
        "modem.failed": ("modem báo lỗi: {reason}", "Rút modem, chờ 10 giây, cắm lại; thử cổng USB khác."),
        "modem.denied": (
            "nhà mạng {operator} từ chối SIM",
            "Kiểm tra SIM còn hạn và gói dữ liệu; gọi tổng đài nhà mạng.",
        ),
        "modem.sim_well": ("SIM đọc được, nhà mạng {operator}", ""),
        "modem.disabled": ("modem đang tắt sóng", "Chạy: sudo mmcli -m any --enable"),
        "modem.no_signal": (
            "không có sóng ({percent} %, {technology})",
            "Dời ăng-ten lên cao, gần cửa sổ; thử SIM của nhà mạng khác.",
        ),
        "modem.weak": ("sóng yếu: {percent} % ({technology})", "Dời ăng-ten lên cao hoặc dùng ăng-ten ngoài."),
        "modem.signal_well": ("sóng {percent} % ({technology})", ""),
        "modem.no_data": (
            "chưa có kết nối dữ liệu (APN: {apn})",
            "So APN với APN của nhà mạng; kiểm tra gói dữ liệu còn dung lượng.",
        ),
        "modem.other_apn": ("đang dùng APN {apn}, cấu hình là {wanted}", "Đặt lại APN cho đúng."),
        "modem.apn_well": ("kết nối dữ liệu qua APN {apn}", ""),
        "modem.unmanaged": (
            "có modem ({driver}) nhưng ModemManager không quản lý",
            "Chạy: sudo systemctl enable --now ModemManager",
        ),
        "modem.silent": ("modem không trả lời ModemManager", "Rút modem, chờ 10 giây, cắm lại."),
        "network.no_route": (
            "không có đường ra mạng (có: {have}; chưa cắm: {down})",
            "Cắm dây mạng, hoặc bật Wi-Fi, hoặc xem mục SIM và sóng.",
        ),
        "network.no_address": (
            "{interface} chưa có địa chỉ",
            "Chờ một phút; nếu vẫn vậy, khởi động lại bộ định tuyến hoặc modem.",
        ),
        "network.self_given": (
            "{interface} tự đặt địa chỉ {address}: không thấy bộ định tuyến",
            "Kiểm tra dây mạng và bộ định tuyến (DHCP).",
        ),
        "network.no_carrier": ("{interface} mất tín hiệu dây", "Cắm chặt dây mạng ở cả hai đầu; thử dây khác."),
        "network.well": ("{interface}, địa chỉ {address}, cổng ra {gateway}", ""),
        "dns.not_found": (
            "không tìm thấy {name} ({reason})",
            "Kiểm tra mạng đã thông chưa; nếu thông, báo cán bộ tỉnh xem tên máy chủ có đúng không.",
        ),
        "dns.slow": ("{name} tìm thấy sau {seconds} giây", "Mạng hoặc máy chủ tên chậm; xem mục SIM và sóng."),
        "dns.well": ("{name} là {address}", ""),
        "certificate.own.expired": (
            "chứng thư của máy hết hạn từ {until}",
            "Máy tự gia hạn khi có mạng; nếu không được, xin mã mới và chạy: sudo ttdn-agent enrol URL MÃ --again",
        ),
        "certificate.own.soon": (
            "chứng thư của máy chỉ còn {days} ngày (đến {until}), tự gia hạn chưa được",
            "Sửa các mục mạng và máy chủ ở đây; nếu đều đạt, báo cán bộ tỉnh.",
        ),
        "certificate.own.not_renewed": (
            "chứng thư của máy còn {days} ngày (đến {until}); lần gia hạn vừa rồi chưa được: {reason}",
            "Máy tự thử lại. Nếu các mục mạng và máy chủ đều đạt mà vẫn vậy, báo cán bộ tỉnh.",
        ),
        "certificate.own.well": ("chứng thư của máy có hiệu lực đến {until} ({days} ngày)", ""),
        "certificate.authority.expired": ("chứng thư gốc của tỉnh hết hạn từ {until}", "Báo cán bộ tỉnh ngay."),
        "certificate.authority.soon": ("chứng thư gốc của tỉnh chỉ còn {days} ngày (đến {until})", "Báo cán bộ tỉnh."),
        "certificate.authority.well": ("chứng thư gốc của tỉnh có hiệu lực đến {until}", ""),
        "certificate.future": (
            "chứng thư bắt đầu từ {since}, đồng hồ máy đang là {now}",
            "Đồng hồ sai; xem mục Đồng hồ. Máy vẫn tự kết nối được.",
        ),
        "certificate.none": (
            "máy chưa đăng ký: chưa có chứng thư",
            "Xin mã đăng ký của tỉnh rồi chạy: sudo ttdn-agent enrol URL MÃ",
        ),
        "certificate.unreadable": ("không đọc được {file}: {reason}", "Chạy lại với sudo."),
        "certificate.damaged": ("{file} bị hỏng: {reason}", "Xin mã mới và đăng ký lại; kiểm tra mục Thẻ nhớ."),
        "clock.behind_floor": (
            "đồng hồ sai: đang là {now} UTC",
            "Cho máy ra mạng: đồng hồ tự đúng khi kết nối được máy chủ. Dữ liệu đã ghi sẽ được sửa giờ.",
        ),
        "clock.behind_floor_known": (
            "đồng hồ máy là {now} UTC, nhưng tác tử đã biết giờ đúng từ máy chủ",
            "Nên cho phép NTP (cổng UDP 123) trên bộ định tuyến.",
        ),
        "clock.far": (
            "đồng hồ máy ({now} UTC) lệch {seconds} giây so với máy chủ",
            "Giờ của dữ liệu vẫn đúng. Nên cho phép NTP (cổng UDP 123) trên bộ định tuyến.",
        ),
        "clock.well": ("{now} UTC, đồng bộ qua mạng, lệch {seconds} giây", ""),
        "clock.by_hub": ("{now} UTC, đúng theo máy chủ (không có NTP), lệch {seconds} giây", ""),
        "clock.unknown": (
            "chưa chắc đúng: {now} UTC",
            "Cho máy ra mạng; giờ của dữ liệu sẽ được sửa khi máy chủ trả lời.",
        ),
        "tls.untrusted": (
            "{server}: chứng thư máy chủ không đúng: {reason}",
            "Đồng hồ có đúng không? Nếu đúng, có thể mạng đang chặn giữa đường: đổi mạng, báo cán bộ tỉnh.",
        ),
        "tls.refuses_us": (
            "{server} không nhận chứng thư của máy ({reason})",
            "Chứng thư đã hết hạn hoặc bị thu hồi. Báo cán bộ tỉnh, xin mã đăng ký mới.",
        ),
        "tls.tls": (
            "{server}: không nói chuyện bảo mật được ({reason})",
            "Sai cổng hoặc mạng chặn. Kiểm tra địa chỉ, cổng; thử mạng khác.",
        ),
        "tls.no_name": ("{server}: không tìm thấy tên ({reason})", "Xem mục Tên máy chủ."),
        "tls.closed": ("{server}: từ chối kết nối ({reason})", "Báo cán bộ tỉnh xem máy chủ có chạy không."),
        "tls.timeout": (
            "{server}: không trả lời khi bắt tay bảo mật ({reason})",
            "Sóng yếu hoặc mạng chặn cổng này; thử mạng khác.",
        ),
        "tls.unreachable": ("{server}: đứt kết nối ({reason})", "Thử lại; nếu vẫn vậy, thử mạng khác."),
        "tls.soon": (
            "{server}: chứng thư máy chủ chỉ còn {days} ngày (đến {until})",
            "Báo cán bộ tỉnh gia hạn chứng thư của máy chủ.",
        ),
        "tls.well": ("{server}: chứng thư máy chủ đúng, đến {until}", ""),
        "broker.no_list": ("chưa có máy chủ để kết nối: {reason}", "Đăng ký máy hoặc sửa tệp cấu hình."),
        "broker.reached": ("{server}: cổng mở", ""),
        "broker.let_in": ("{server}: đã vào được bằng tên của máy này", ""),
        "broker.refuses": (
            "{server}: không vào được: {reason}",
            "Nếu là lỗi mạng, xem các mục trên. Nếu bị từ chối, báo cán bộ tỉnh.",
        ),
        "broker.no_name": ("{server}: không tìm thấy tên ({reason})", "Xem mục Tên máy chủ."),
        "broker.closed": (
            "{server}: từ chối kết nối ({reason})",
            "Kiểm tra địa chỉ và cổng; báo cán bộ tỉnh xem máy chủ có chạy không.",
        ),
        "broker.timeout": (
            "{server}: không trả lời ({reason})",
            "Sóng yếu hoặc mạng chặn cổng này: thử lại, đổi vị trí ăng-ten hoặc mạng khác.",
        ),
        "broker.unreachable": ("{server}: không tới được ({reason})", "Xem mục Mạng."),
        "receipt.offline": ("tác tử chưa kết nối được: {reason}", "Xem các mục mạng và máy chủ ở trên."),
        "receipt.none": (
            "đã kết nối nhưng máy chủ chưa trả lời (từ {seconds} giây)",
            "Chờ một phút. Nếu vẫn vậy, báo cán bộ tỉnh: phần tiếp nhận của máy chủ không chạy.",
        ),
        "receipt.old": (
            "biên nhận cuối cách đây {minutes} phút",
            "Báo cán bộ tỉnh: máy chủ nhận kết nối nhưng không trả lời.",
        ),
        "receipt.slow": ("máy chủ trả lời sau {rtt_ms} ms", "Đường truyền chậm; xem mục SIM và sóng."),
        "receipt.well": ("máy chủ trả lời cách đây {seconds} giây, đi về {rtt_ms} ms", ""),
        "receipt.no_answer": (
            "vào được nhưng máy chủ không trả lời trong {seconds} giây ({reason})",
            "Báo cán bộ tỉnh: phần tiếp nhận của máy chủ không chạy.",
        ),
        "receipt.answered": ("gửi thử một lời chào, máy chủ trả lời sau {rtt_ms} ms", ""),
        "receipt.no_broker": ("không thử được: không vào được máy chủ nào", "Sửa các mục ở trên trước."),
        "power.low": (
            "nguồn điện yếu, máy có thể treo và hỏng thẻ nhớ",
            "Dùng bộ nguồn đúng loại của máy, dây ngắn và to; không lấy điện từ cổng USB của tivi.",
        ),
        "power.well": ("điện áp đủ", ""),
        "temperature.hot": ("nóng {celsius} °C (giới hạn {limit})", "Thông khe gió, che nắng cho tủ, kiểm tra quạt."),
        "temperature.well": ("{celsius} °C", ""),
        "storage.full": ("gần đầy, còn {megabytes} MB", "Xóa tệp không cần; dữ liệu cũ của tác tử sẽ bị bỏ trước."),
        "storage.tight": ("còn {megabytes} MB", "Nên xóa bớt tệp không cần."),
        "storage.room": ("còn trống {megabytes} MB", ""),
        "storage.errors": ("hệ thống tệp báo {count} lỗi", "Thay thẻ nhớ sớm; dữ liệu chờ gửi vẫn còn trên thẻ cũ."),
        "storage.no_errors": ("hệ thống tệp không có lỗi", ""),
        "storage.forgets": ("ghi thử không được: {reason}", "Thay thẻ nhớ."),
        "storage.keeps": ("ghi thử và đọc lại đúng", ""),
        "storage.worn": ("bộ nhớ đã mòn {percent} %", "Chuẩn bị thay bộ nhớ."),
        "storage.fresh": ("bộ nhớ mòn {percent} %", ""),
        "storage.no_folder": (
            "chưa có thư mục {folder}",
            "Cài tác tử (install.sh) hoặc chạy tác tử một lần để tạo thư mục.",
        ),
        "storage.read_only": (
            "{folder} chỉ đọc được, không ghi được",
            "Khởi động lại máy; nếu vẫn vậy thì thay thẻ nhớ.",
        ),
        "fault": ("{reason}", ""),
        "screen.disconnected": ("{screen}: không thấy màn hình", "Kiểm tra dây HDMI và nguồn của màn hình."),
        "screen.asleep": ("{screen}: đang tắt hoặc ngủ", "Ngoài giờ phát thì bình thường; trong giờ: bật màn hình."),
        "screen.dark": ("{screen}: độ sáng bằng 0", "Tăng độ sáng màn hình."),
        "screen.lit": ("{screen}: đang sáng", ""),
        "screen.active": ("{screen}: đã nối và có hình gửi ra (có sáng thật không thì hãy nhìn bằng mắt)", ""),
        "probe.blind": (
            "không nhìn được trình phát {probe}: {reason}",
            "Kiểm tra trình phát có chạy không và quyền của người dùng ttdn-agent (nhóm ttdn-screen).",
        ),
        "probe.nothing": (
            "trình phát {probe} không phát nội dung nào",
            "Ngoài giờ thì bình thường; nếu không, bật phát.",
        ),
        "probe.still": (
            "{screen}: {content} đứng yên hoặc bị che (lịch {listed}, báo phát {reported})",
            "Đưa cửa sổ phát ra trước; nếu hình đứng, khởi động lại trình phát.",
        ),
        "probe.sees": (
            "{screen}: {content} (có trong lịch: {listed}, trình phát báo: {reported}, hình chạy: {rendering})",
            "",
        ),
        "probe.none": ("chưa theo dõi trình phát nào", "Thêm [probes.chromium] hoặc [probes.mpv] vào tệp cấu hình."),
        "outbox.full": (
            "đầy: {events} sự kiện, cũ nhất {hours} giờ, {megabytes} MB; đã từ chối {refused}",
            "Nối lại mạng tới máy chủ; không xóa tệp nào.",
        ),
        "outbox.nearly_full": (
            "sắp đầy: {events} sự kiện chờ gửi, {megabytes} MB, cũ nhất {hours} giờ",
            "Nối lại mạng tới máy chủ.",
        ),
        "outbox.old": (
            "{events} sự kiện chờ gửi, cũ nhất {hours} giờ ({megabytes} MB)",
            "Nối lại mạng tới máy chủ; không mất gì trong lúc chờ.",
        ),
        "outbox.well": ("{events} sự kiện chờ gửi, cũ nhất {hours} giờ ({megabytes} MB)", ""),
        "outbox.unreadable": ("không đọc được: {reason}", "Chạy lại với sudo; nếu vẫn vậy, xem mục Thẻ nhớ."),
        "outbox.losses": (
            "{count} sự kiện mất đã ghi nhận ({why}), {dropped} không ghi được",
            "Xem các mục Thẻ nhớ và Máy chủ; báo cán bộ tỉnh.",
        ),
        "outbox.no_losses": ("không có", ""),
    }
)

FAULTS: Final = MappingProxyType(
    {
        "probe_failed": "Xem lý do; kiểm tra trình phát và quyền truy cập.",
        "probe_hung": "Khởi động lại trình phát, rồi tác tử.",
        "flapping": "Xem trình phát có khởi động lại liên tục không.",
        "outbox_full": "Nối lại mạng tới máy chủ; kiểm tra thẻ nhớ.",
        "outbox_damaged": "Giữ lại tệp hỏng; thay thẻ nhớ sớm.",
        "certificate_expiring": "Chứng thư sắp hết hạn mà chưa gia hạn được: kiểm tra mạng và máy chủ.",
        "certificate_expired": "Chứng thư đã hết hạn: kiểm tra mạng; nếu không được, đăng ký lại bằng mã mới.",
        "certificate_refused": "Máy chủ không gia hạn chứng thư: hỏi cán bộ tỉnh, đăng ký lại bằng mã mới.",
        "certificate_unusable": "Máy chủ không nhận chứng thư mới nhất, đang dùng chứng thư trước: báo cán bộ tỉnh.",
        "over_temperature": "Thông khe gió, che nắng cho tủ, kiểm tra quạt.",
        "undervoltage": "Dùng bộ nguồn đúng loại, dây ngắn và to.",
        "low_disk": "Xóa những tệp khác đang chiếm chỗ.",
        "storage_failing": "Thay thẻ nhớ hoặc ổ đĩa sớm.",
        "screen_missing": "So tên cổng màn hình với thư mục /sys/class/drm.",
        "screen_disconnected": "Kiểm tra dây và nguồn của màn hình.",
        "browser_gone": "Trình duyệt không chạy: xem vì sao, rồi bật lại.",
        "browser_frozen": "Trình duyệt treo: khởi động lại trình duyệt.",
        "page_missing": "Trình duyệt không mở trang nào: kiểm tra địa chỉ khởi động, bật lại.",
        "page_load_failed": "Không tải được trang: kiểm tra mạng, máy chủ nội dung và địa chỉ.",
        "page_crashed": "Trang bị sập: tải lại; nếu lặp lại, kiểm tra bộ nhớ còn trống.",
        "page_hung": "Trang không trả lời: tải lại; báo người làm trang.",
        "page_hidden": "Cửa sổ bị thu nhỏ hoặc bị che: đưa cửa sổ ra trước.",
        "page_not_drawn": "Trang không được vẽ ra: khởi động lại trình duyệt; kiểm tra màn hình.",
        "player_gone": "mpv không chạy: xem vì sao, kiểm tra --input-ipc-server, bật lại.",
        "player_frozen": "mpv treo: khởi động lại; kiểm tra thẻ nhớ.",
        "video_stuck": "Hình đứng: kiểm tra tệp, thẻ nhớ và đường hình ra.",
        "no_picture": "Có tiếng không có hình: kiểm tra tùy chọn --vid, --vo của mpv và màn hình.",
        "media_failed": "mpv không phát được tệp: chép lại tệp; kiểm tra định dạng.",
    }
)

WORDS: Final = MappingProxyType({"@yes": "có", "@no": "không", "@unknown": "chưa rõ", "@on": "sáng", "@off": "tắt"})

PLAIN: Final = MappingProxyType(
    {
        "outcome.ok": "ĐẠT",
        "outcome.warn": "CẢNH BÁO",
        "outcome.fail": "LỖI",
        "doctor.heading": "Kiểm tra điểm thông tin {device}",
        "doctor.checking": "đang kiểm tra: {title} ...",
        "doctor.summary": "{ok} đạt, {warn} cảnh báo, {fail} lỗi",
        "doctor.good": "Tất cả đều đạt.",
        "doctor.shown": "Đang hiện trên màn hình {where} trong {seconds} giây.",
        "doctor.not_shown": "Không hiện được trên màn hình: {reason}",
        "screen.left": "Màn hình trở lại bình thường sau {seconds} giây.",
        "screen.more": "và {count} mục khác",
        "status.device": "Thiết bị    {device}, tác tử bản {version}, tiến trình {pid}",
        "status.stopped": "Thiết bị    {device}; tác tử không chạy",
        "status.online": "Kết nối     trực tuyến từ {since}",
        "status.unanswered": "Kết nối     đã vào máy chủ, chưa có trả lời; ngoại tuyến từ {since}",
        "status.offline": "Kết nối     ngoại tuyến từ {since}",
        "status.receipt": "Biên nhận   cách đây {ago}, đi về {rtt_ms} ms",
        "status.no_receipt": "Biên nhận   chưa có từ khi tác tử chạy",
        "status.screen": "Đang phát   {screen}: {content} (từ {since})",
        "status.facts": (
            "            trong lịch {listed}, trình phát báo {reported}, hình chạy {rendering}, "
            "màn sáng {panel}, khung hình {frame}"
        ),
        "status.nothing": "Đang phát   {screen}: trình phát {player} không phát gì",
        "status.no_player": "Đang phát   không theo dõi trình phát nào",
        "status.waiting": "Chờ gửi     {events} sự kiện, cũ nhất {oldest}",
        "status.nothing_waits": "Chờ gửi     không có",
        "status.losses": "Mất         {count} sự kiện đã ghi nhận ({why})",
        "status.no_losses": "Mất         không có",
        "status.clock": "Đồng hồ     {clock}",
        "status.clock.synced": "đúng",
        "status.clock.repaired": "đã sửa lại",
        "status.clock.estimated": "chưa chắc đúng",
        "status.certificate": "Chứng thư   đến {until} ({days} ngày)",
        "status.no_certificate": "Chứng thư   chưa có",
        "status.probes": "Theo dõi    {probes}",
        "problem.silent": "im lặng đã {seconds} giây: khởi động lại tác tử, xem nhật ký",
        "problem.full": "hộp chờ gửi đầy, đã từ chối {refused} sự kiện: nối lại mạng",
        "problem.dropped": "{dropped} sự kiện không giữ được từ khi chạy: xem nhật ký",
        "problem.offline": "chưa kết nối được máy chủ: {reason}",
        "problem.none_tried": "chưa thử lần nào",
        "problem.probe": "bộ theo dõi {probe}: {error}",
        "problem.fault": "lỗi: {code}",
        "ago.seconds": "{count} giây",
        "ago.minutes": "{count} phút",
        "ago.hours": "{count} giờ",
        "ago.days": "{count} ngày",
        "page.title": "Kiểm tra điểm thông tin",
        "page.code": "Mã",
        "page.enter": "Nhập mã 6 số hiện trên cửa sổ lệnh.",
        "page.open": "Mở",
        "page.wrong": "Mã sai, hoặc mã đã dùng. Xin mã mới: sudo ttdn-agent page on",
        "page.wait": "Sai nhiều lần. Chờ {seconds} giây rồi thử lại.",
        "page.measuring": "Đang đo ...",
        "page.measured": "Đo cách đây {seconds} giây. Tự đo lại mỗi {every} giây khi trang này đang mở.",
        "page.failed": "Không đo được: {reason}",
        "page.again": "Đo lại ngay",
        "page.closes": "Trang tự đóng sau {minutes} phút. Mã sai đã từ chối: {wrong}.",
        "page.what": (
            "Trang này chỉ đo máy: mạng, máy chủ, đồng hồ, thẻ nhớ, nguồn, trình phát, màn hình, hộp chờ gửi. "
            "Không có thông tin của khách và không có mật khẩu, khóa."
        ),
        "page.other": "English",
        "page.on": "Trang kiểm tra mở trong {minutes} phút, chỉ trong mạng nội bộ:",
        "page.secret": "Mã (dùng một lần): {code}",
        "page.how_off": "Trang tự đóng. Đóng ngay: ttdn-agent page off",
        "page.is_off": "Trang kiểm tra đã đóng.",
        "page.was_off": "Trang kiểm tra không mở.",
        "page.is_on": "Trang kiểm tra đang mở, còn {minutes} phút: {urls}",
        "page.busy": "Trang kiểm tra đang mở; muốn mã mới, đóng trước: ttdn-agent page off",
    }
)
